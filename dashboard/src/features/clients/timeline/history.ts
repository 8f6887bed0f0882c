// Pure: the curve of the score as parts to draw and as stretches to read.
import type { ClientState } from "../../../api/types.ts";
import type { Curve, CurvePoint } from "./shapes.ts";

export interface ScoredPoint {
  at: number;
  day: string;
  score: number;
  state: ClientState;
}

function scored(points: readonly CurvePoint[]): ScoredPoint[] {
  return points.flatMap(({ day, score, state }) =>
    score === null ? [] : [{ at: Date.parse(day), day, score, state }],
  );
}

/** What was and what comes if nothing happens; today belongs to both, so that they meet. */
export function partsOf(curve: Curve): { past: ScoredPoint[]; future: ScoredPoint[] } {
  return {
    past: scored(curve.points.filter((point) => point.day <= curve.as_of)),
    future: scored(curve.points.filter((point) => point.day >= curve.as_of)),
  };
}

export interface Stay {
  state: ClientState;
  from: string;
  /** The last day of it; null while it lasts. */
  to: string | null;
  first: number | null;
  last: number | null;
}

/** The stretches of one state up to today, newest first. */
export function staysOf(curve: Curve): Stay[] {
  const stays: Stay[] = [];
  for (const point of curve.points) {
    if (point.day > curve.as_of) break;
    const latest = stays.at(-1);
    if (latest?.state === point.state) {
      latest.to = point.day;
      latest.last = point.score;
    } else {
      const { state, day, score } = point;
      stays.push({ state, from: day, to: day, first: score, last: score });
    }
  }
  const present = stays.at(-1);
  if (present?.to === curve.as_of) present.to = null;
  return stays.reverse();
}

/** The point of a day, found by its place: the points are one a day, without a gap. */
export function pointAt(curve: Curve, at: number): CurvePoint | null {
  const first = curve.points[0];
  if (first === undefined) return null;
  return curve.points[Math.floor((at - Date.parse(first.day)) / 86_400_000)] ?? null;
}
