// Pure: how far a hop is behind, in words.
import type { Pipeline, PipelineHop } from "../../api/types.ts";
import { plural } from "../../shared/format.ts";

const UNITS: readonly (readonly [number, string])[] = [
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "kB"],
];

function bytes(value: number): string {
  const [size, unit] = UNITS.find(([each]) => value >= each) ?? [1, "B"];
  return `${(value / size).toFixed(size > 1 && value / size < 10 ? 1 : 0)} ${unit}`;
}

function age(seconds: number): string {
  if (seconds < 1) return "<1 s";
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}

/** What waits before a reader and for how long; "unknown" where nobody could say. */
export function behindWords(hop: PipelineHop): string {
  const about = hop.exact ? "" : "≤ ";
  const parts = [
    hop.lag_records === null ? null : `${about}${plural(hop.lag_records, "record")}`,
    hop.lag_records === null && hop.lag_bytes !== null ? bytes(hop.lag_bytes) : null,
    hop.lag_s === null ? null : age(hop.lag_s),
  ].filter((part) => part !== null);
  const isIdle = hop.lag_records === 0;
  if (parts.length === 0) return "unknown";
  return isIdle ? "nothing" : parts.join(", ");
}

/** All dead letters that wait; null where they could not be counted. */
export function lettersIn(pipeline: Pipeline): number | null {
  if (pipeline.dead_letters === null) return null;
  return pipeline.dead_letters.reduce((sum, topic) => sum + topic.waiting, 0);
}

