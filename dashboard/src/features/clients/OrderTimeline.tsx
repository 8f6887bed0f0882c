// Orders on a line of time, with today and the days that matter next.
import { AxisBottom } from "@visx/axis";
import { scaleSqrt, scaleUtc } from "@visx/scale";
import type { OrderRow } from "../../api/types.ts";
import type { ScoreView } from "../../live/scores.ts";
import { day, plural } from "../../shared/format.ts";
import { useWidth } from "../../shared/useWidth.ts";
import styles from "./OrderTimeline.module.css";

const HEIGHT = 116;
const BASE = 88;
const TOP = 22;
const EDGE = 8;
/** Room that one label takes on the line, in pixels. */
const LABEL_PX = 60;
const TICK_PX = 90;

interface Mark {
  kind: "today" | "crossing" | "lapse";
  at: Date;
  text: string;
}

function marksOf(score: ScoreView): Mark[] {
  const marks: Mark[] = [{ kind: "today", at: new Date(score.as_of), text: "today" }];
  if (score.crossing_day !== null) {
    marks.push({ kind: "crossing", at: new Date(score.crossing_day), text: "at risk" });
  }
  if (score.lapse_day !== null) {
    marks.push({ kind: "lapse", at: new Date(score.lapse_day), text: "lapse" });
  }
  return marks.sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** Which marks have room for their label; today comes first, then the earlier ones. */
export function labelledOf(marks: { kind: Mark["kind"]; left: number }[]): Set<Mark["kind"]> {
  const byRank = [...marks].sort(
    (a, b) => Number(b.kind === "today") - Number(a.kind === "today") || a.left - b.left,
  );
  const placed: typeof marks = [];
  for (const mark of byRank) {
    if (placed.every((other) => Math.abs(other.left - mark.left) >= LABEL_PX)) placed.push(mark);
  }
  return new Set(placed.map((mark) => mark.kind));
}

interface Props {
  orders: OrderRow[];
  score: ScoreView;
}

export function OrderTimeline({ orders, score }: Props) {
  const [frame, width] = useWidth();
  return (
    <div ref={frame} className={styles["frame"]}>
      {orders.length === 0 || width === 0 ? null : (
        <Drawing orders={orders} score={score} width={width} />
      )}
    </div>
  );
}

function Drawing({ orders, score, width }: Props & { width: number }) {
  const marks = marksOf(score);
  const times = [
    ...orders.map((order) => Date.parse(order.ordered_at)),
    ...marks.map((mark) => mark.at.getTime()),
  ];
  const x = scaleUtc<number>({
    domain: [new Date(Math.min(...times)), new Date(Math.max(...times))],
    range: [EDGE, width - EDGE],
  });
  const most = Math.max(...orders.map((order) => Number(order.amount)));
  const y = scaleSqrt<number>({ domain: [0, most], range: [BASE, TOP + 8] });
  const labelled = labelledOf(marks.map((mark) => ({ kind: mark.kind, left: x(mark.at) })));
  return (
    <svg
      className={styles["svg"]}
      width={width}
      height={HEIGHT}
      role="img"
      aria-label={`${plural(orders.length, "order")} on a line of time, today ${day(score.as_of)}`}
    >
      <line className={styles["base"]} x1={0} x2={width} y1={BASE} y2={BASE} />
      {orders.map((order) => {
        const left = x(new Date(order.ordered_at));
        const top = y(Number(order.amount));
        return (
          <g key={order.id}>
            <line className={styles["stem"]} x1={left} x2={left} y1={BASE} y2={top} />
            <circle className={styles["dot"]} cx={left} cy={top} r={3.5} />
          </g>
        );
      })}
      {marks.map((mark) => {
        const left = x(mark.at);
        const anchor = left > width - LABEL_PX / 2 ? "end" : "middle";
        return (
          <g key={mark.kind}>
            <line className={styles[mark.kind]} x1={left} x2={left} y1={TOP - 4} y2={BASE} />
            {labelled.has(mark.kind) ? (
              <text className={styles["text"]} x={left} y={TOP - 10} textAnchor={anchor}>
                {mark.text}
              </text>
            ) : null}
          </g>
        );
      })}
      <AxisBottom
        top={BASE}
        scale={x}
        numTicks={Math.max(2, Math.floor(width / TICK_PX))}
        hideAxisLine
        hideTicks
        tickLabelProps={{ className: styles["tick"] ?? "", textAnchor: "middle", dy: "0.35em" }}
      />
    </svg>
  );
}
