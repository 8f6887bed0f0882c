// Pure: reads the result of a what-if run, whose shape only the run itself promises.

import type { Money } from "../../api/types.ts";

export interface Moved {
  client_id: number;
  before: string;
  after: string;
  score_before: number | null;
  score_after: number | null;
}

export interface Proportion {
  n: number;
  share: number | null;
  low: number | null;
  high: number | null;
}

interface Standing {
  at_risk: number;
  expected_precision: number | null;
  backtest: { precision: Proportion };
}

export interface Report {
  clients: number;
  entering: number;
  leaving: number;
  present: Standing;
  candidate: Standing;
  emails: { expected: number; held_for_a_person: number; expected_cost: Money | null };
  moved: Moved[];
  moved_left_out: number;
}

const NUMBERS = ["clients", "entering", "leaving", "moved_left_out"] as const;

/** Read a run's result; null when it is not what a what-if gives. */
export function reportOf(result: Record<string, unknown> | null): Report | null {
  const found = result?.["what_if"];
  if (typeof found !== "object" || found === null) return null;
  const report = found as Record<string, unknown>;
  const isWhole =
    NUMBERS.every((name) => typeof report[name] === "number") &&
    Array.isArray(report["moved"]) &&
    ["present", "candidate", "emails"].every((name) => typeof report[name] === "object");
  return isWhole ? (found as Report) : null;
}

/** Who enters and who leaves the clients at risk, in the order of the report. */
export function movesOf(report: Report): { entering: Moved[]; leaving: Moved[] } {
  return {
    entering: report.moved.filter((one) => one.after === "at_risk"),
    leaving: report.moved.filter((one) => one.before === "at_risk"),
  };
}
