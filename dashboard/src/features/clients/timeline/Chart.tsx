// The drawing: the score over time, and under it what happened, all on one axis.
import { AxisBottom } from "@visx/axis";
import { useState, type PointerEvent } from "react";
import { percent, plural } from "../../../shared/format.ts";
import { CLIENT_STATES } from "../../../shared/states.ts";
import { useWidth } from "../../../shared/useWidth.ts";
import { HEIGHT, laneAt, LANES_BASE, PLOT_TOP, scoreScale, timeScale } from "./geometry.ts";
import type { Happenings } from "./happenings.ts";
import { pointAt } from "./history.ts";
import { Lanes } from "./Lanes.tsx";
import { ScorePlot } from "./ScorePlot.tsx";
import type { Curve, Mark } from "./shapes.ts";
import styles from "./Chart.module.css";
import { Tip } from "./Tip.tsx";
import type { Stretch } from "./windows.ts";

const TICK_PX = 84;
/** So near to a mark the pointer means it. */
const REACH_PX = 14;

interface Props {
  curve: Curve;
  happenings: Happenings;
  stretch: Stretch;
  label: string;
  onOpen: (episodeId: string) => void;
}

export function Chart(props: Props) {
  const [frame, width] = useWidth();
  return (
    <div ref={frame} className={styles["frame"]}>
      {width === 0 ? null : <Drawing {...props} width={width} />}
    </div>
  );
}

/** What the tooltip is about: a mark, or a day of the curve. */
type Pointed = { mark: Mark } | { at: number } | null;

function Drawing({ curve, happenings, stretch, label, onOpen, width }: Props & { width: number }) {
  const [pointed, setPointed] = useState<Pointed>(null);
  const x = timeScale(stretch, width);
  const y = scoreScale(curve);
  const [begin = 0, end = 0] = x.domain().map(Number);
  const shown = happenings.marks.filter((mark) => mark.at >= begin && mark.at <= end);

  function point(event: PointerEvent<SVGSVGElement>): void {
    const box = event.currentTarget.getBoundingClientRect();
    const left = event.clientX - box.left;
    const lane = laneAt(event.clientY - box.top);
    if (lane === null) {
      const at = x.invert(left).getTime();
      setPointed(at < begin || at > end ? null : { at });
      return;
    }
    const near = shown
      .filter((mark) => mark.lane === lane)
      .map((mark) => ({ mark, far: Math.abs(x(mark.at) - left) }))
      .filter(({ far }) => far <= REACH_PX)
      .sort((a, b) => a.far - b.far)[0];
    setPointed(near === undefined ? null : { mark: near.mark });
  }

  const at = pointed === null ? null : "mark" in pointed ? pointed.mark.at : pointed.at;
  return (
    <>
      <svg
        className={styles["svg"]}
        width={width}
        height={HEIGHT}
        role="group"
        aria-label={`${label} The arrow keys move through ${plural(shown.length, "event")}.`}
        onPointerMove={point}
        onPointerLeave={() => {
          setPointed(null);
        }}
      >
        <ScorePlot curve={curve} x={x} y={y} />
        {at === null ? null : (
          <line
            className={styles["cursor"]}
            x1={x(at)}
            x2={x(at)}
            y1={PLOT_TOP}
            y2={LANES_BASE}
          />
        )}
        <Lanes
          marks={shown}
          spans={happenings.spans}
          x={x}
          onPoint={(mark) => {
            setPointed(mark === null ? null : { mark });
          }}
          onOpen={onOpen}
        />
        <AxisBottom
          top={LANES_BASE}
          scale={x}
          numTicks={Math.max(2, Math.floor(width / TICK_PX))}
          axisLineClassName={styles["axis"] ?? ""}
          hideTicks
          tickLabelProps={{ className: styles["tick"] ?? "", textAnchor: "middle", dy: "0.3em" }}
        />
      </svg>
      <PointedTip pointed={pointed} curve={curve} left={at === null ? 0 : x(at)} width={width} />
    </>
  );
}

interface PointedProps {
  pointed: Pointed;
  curve: Curve;
  left: number;
  width: number;
}

function PointedTip({ pointed, curve, left, width }: PointedProps) {
  if (pointed === null) return null;
  if ("mark" in pointed) {
    const { mark } = pointed;
    return <Tip at={mark.at} title={mark.title} lines={mark.lines} left={left} width={width} exact />;
  }
  const found = pointAt(curve, pointed.at);
  if (found?.score == null) return null;
  const isAhead = found.day > curve.as_of;
  const lines = [CLIENT_STATES[found.state].name, ...(isAhead ? ["if nothing is ordered"] : [])];
  return (
    <Tip at={pointed.at} title={percent(found.score)} lines={lines} left={left} width={width} />
  );
}
