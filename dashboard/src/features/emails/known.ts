// Pure: what a known reason is made of.
import { time } from "../../shared/format.ts";
import type { EmailRow } from "../../api/types.ts";

export type Row = Pick<EmailRow, "state" | "reason" | "until" | "crossing_day">;

/** One known reason: what it matches, what it means, and what helps. */
export interface Known {
  match: RegExp;
  why: (row: Row, groups: string[]) => string;
  todo: string;
}

export const BY_ITSELF = "Nothing to do: it goes on by itself.";
export const ENDED = "Nothing to do.";

export function untilOf(row: Row): string {
  return row.until === null ? "later" : `at ${time(row.until, true)}`;
}
