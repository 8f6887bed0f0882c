// The curve of the score: past solid, future dashed, with the thresholds and the days that matter.
import { LinePath } from "@visx/shape";
import { percent } from "../../../shared/format.ts";
import {
  LANES_BASE,
  LEFT,
  PLOT_TOP,
  RIGHT,
  type ScoreScale,
  type TimeScale,
} from "./geometry.ts";
import { partsOf, type ScoredPoint } from "./history.ts";
import { dayMarksOf, labelledOf } from "./labels.ts";
import type { Curve } from "./shapes.ts";
import styles from "./Chart.module.css";

interface Props {
  curve: Curve;
  x: TimeScale;
  y: ScoreScale;
}

export function ScorePlot({ curve, x, y }: Props) {
  const { past, future } = partsOf(curve);
  const right = Math.max(...x.range());
  const left = (point: ScoredPoint): number => x(point.at);
  const top = (point: ScoredPoint): number => y(point.score);
  const today = x(Date.parse(curve.as_of));
  return (
    <g aria-hidden="true">
      {today < right ? (
        <rect
          className={styles["ahead"]}
          x={Math.max(LEFT, today)}
          y={PLOT_TOP}
          width={right - Math.max(LEFT, today)}
          height={LANES_BASE - PLOT_TOP}
        />
      ) : null}
      {y.ticks(4).map((tick) => (
        <g key={tick}>
          <line className={styles["grid"]} x1={LEFT} x2={right} y1={y(tick)} y2={y(tick)} />
          <text className={styles["tick"]} x={LEFT - 6} y={y(tick)} dy="0.32em" textAnchor="end">
            {percent(tick)}
          </text>
        </g>
      ))}
      <LinePath className={styles["past"] ?? ""} data={past} x={left} y={top} />
      <LinePath className={styles["future"] ?? ""} data={future} x={left} y={top} />
      <Threshold name="risk ends above" at={curve.exit} y={y} right={right} above />
      <Threshold name="risk begins at" at={curve.entry} y={y} right={right} />
      <Days curve={curve} x={x} y={y} right={right} />
    </g>
  );
}

interface ThresholdProps {
  name: string;
  at: number | null;
  y: ScoreScale;
  right: number;
  above?: boolean;
}

function Threshold({ name, at, y, right, above = false }: ThresholdProps) {
  if (at === null) return null;
  return (
    <>
      <line
        className={above ? styles["exit"] : styles["entry"]}
        x1={LEFT}
        x2={right}
        y1={y(at)}
        y2={y(at)}
      />
      <text
        className={styles["threshold"]}
        x={LEFT + 4}
        y={y(at)}
        dy={above ? "-0.4em" : "1.1em"}
      >
        {name} {percent(at)}
      </text>
    </>
  );
}

function Days({ curve, x, y, right }: Props & { right: number }) {
  const marks = dayMarksOf(curve)
    .map((mark) => ({ ...mark, left: x(mark.at) }))
    .filter((mark) => mark.left >= LEFT && mark.left <= right);
  const labelled = labelledOf(marks);
  return marks.map(({ kind, left, text }) => (
    <g key={kind}>
      <line className={styles[kind]} x1={left} x2={left} y1={PLOT_TOP - 4} y2={LANES_BASE} />
      {labelled.has(kind) ? (
        <text
          className={styles["day"]}
          x={left}
          y={PLOT_TOP - 10}
          textAnchor={left > right + RIGHT - 48 ? "end" : left < LEFT + 48 ? "start" : "middle"}
        >
          {text}
        </text>
      ) : null}
      {kind === "crossing" && curve.entry !== null ? (
        <circle className={styles["crossingDot"]} cx={left} cy={y(curve.entry)} r={3.5} />
      ) : null}
    </g>
  ));
}
