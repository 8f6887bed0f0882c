// What happened, in lanes under the curve; the arrow keys go from event to event.
import { useRef, useState, type KeyboardEvent } from "react";
import { time } from "../../../shared/format.ts";
import { LANES, laneTop, LEFT, type TimeScale } from "./geometry.ts";
import type { Mark, Span } from "./shapes.ts";
import styles from "./Chart.module.css";

const RADIUS_LEAST = 3.5;
const RADIUS_MORE = 4;

interface Props {
  /** Oldest first. */
  marks: Mark[];
  spans: Span[];
  x: TimeScale;
  onPoint: (mark: Mark | null) => void;
  onOpen: (episodeId: string) => void;
}

export function Lanes({ marks, spans, x, onPoint, onOpen }: Props) {
  const group = useRef<SVGGElement>(null);
  const [active, setActive] = useState<string | null>(null);
  const [begin, right] = [Math.min(...x.range()), Math.max(...x.range())];
  const clamp = (at: number): number => Math.min(Math.max(x(at), begin), right);
  // The tab key reaches one event: the one last used, or the newest.
  const found = marks.findIndex((mark) => mark.id === active);
  const stop = found < 0 ? marks.length - 1 : found;

  function move(event: KeyboardEvent, index: number): void {
    const steps: Record<string, number> = {
      ArrowLeft: index - 1,
      ArrowRight: index + 1,
      Home: 0,
      End: marks.length - 1,
    };
    const mark = marks[index];
    if ((event.key === "Enter" || event.key === " ") && mark?.episodeId != null) {
      event.preventDefault();
      onOpen(mark.episodeId);
    }
    const target = Object.hasOwn(steps, event.key) ? marks[steps[event.key] ?? -1] : undefined;
    if (target === undefined) return;
    event.preventDefault();
    group.current?.querySelector<SVGGElement>(`[data-mark="${target.id}"]`)?.focus();
  }

  return (
    <g ref={group}>
      {LANES.map(({ lane, name }) => (
        <g key={lane} aria-hidden="true">
          <line
            className={styles["grid"]}
            x1={LEFT}
            x2={right}
            y1={laneTop(lane)}
            y2={laneTop(lane)}
          />
          <text className={styles["lane"]} x={LEFT} y={laneTop(lane) - 11}>
            {name}
          </text>
        </g>
      ))}
      {spans
        .filter((span) => x(span.to) >= begin && x(span.from) <= right)
        .map((span) => (
          <rect
            key={span.id}
            className={styles["span"]}
            data-open={span.isOpen}
            x={clamp(span.from)}
            y={laneTop("episodes") - 4}
            width={Math.max(2, clamp(span.to) - clamp(span.from))}
            height={8}
            rx={4}
            aria-hidden="true"
          />
        ))}
      {marks.map((mark, index) => (
        <g
          key={mark.id}
          className={styles["mark"]}
          data-mark={mark.id}
          data-testid={`mark-${mark.id}`}
          data-tone={mark.tone}
          role={mark.episodeId === null ? "button" : "link"}
          tabIndex={index === stop ? 0 : -1}
          aria-label={[mark.title, time(new Date(mark.at).toISOString(), true), ...mark.lines].join(
            ". ",
          )}
          onFocus={() => {
            setActive(mark.id);
            onPoint(mark);
          }}
          onBlur={() => {
            onPoint(null);
          }}
          onKeyDown={(event) => {
            move(event, index);
          }}
          onClick={() => {
            if (mark.episodeId === null) onPoint(mark);
            else onOpen(mark.episodeId);
          }}
        >
          <Shape mark={mark} left={x(mark.at)} />
        </g>
      ))}
    </g>
  );
}

/** A dot, larger for more; emails are squares, so that colour is not all that tells them apart. */
function Shape({ mark, left }: { mark: Mark; left: number }) {
  const top = laneTop(mark.lane);
  const radius = RADIUS_LEAST + RADIUS_MORE * mark.weight;
  if (mark.lane !== "emails") return <circle cx={left} cy={top} r={radius} />;
  return (
    <rect x={left - radius} y={top - radius} width={2 * radius} height={2 * radius} rx={2} />
  );
}
