// Pure: why a client stands where it does, in a few words.
import type { ClientRow, ScoreParts } from "../../api/types.ts";
import { daysBetween } from "../../shared/days.ts";
import { plural } from "../../shared/format.ts";

/** One short phrase for a list; days are counted from the score's own day. */
export function whyOf(row: ClientRow): string {
  const { score } = row;
  if (score === null) return "Waits for its first score";
  switch (score.state) {
    case "no_orders":
      return "No counted order yet";
    case "one_order":
      return "Only one order so far";
    case "lapsed":
      return "Silent for too long";
    case "at_risk": {
      if (score.crossing_day === null) return "Silent for longer than usual";
      const days = daysBetween(score.crossing_day, score.as_of);
      return days === 0 ? "Fell at risk today" : `At risk for ${plural(days, "day")}`;
    }
    case "active": {
      if (score.crossing_day === null) return "Orders as usual";
      const days = daysBetween(score.as_of, score.crossing_day);
      return days === 1 ? "Falls at risk tomorrow" : `Falls at risk in ${plural(days, "day")}`;
    }
  }
}

export interface ExplainedPart {
  key: keyof ScoreParts;
  name: string;
  value: number;
  /** Where the bar begins and ends on the scale of log-odds: each part starts where the last ended. */
  from: number;
  to: number;
}

const PART_NAMES: [keyof ScoreParts, string][] = [
  ["intercept", "Every client starts here"],
  ["frequency", "How often they ordered"],
  ["value", "How much they spent"],
  ["recency", "How long they have been silent"],
];

/** The parts of the log-odds as a chain of bars that ends at their sum. */
export function chainOf(parts: ScoreParts): ExplainedPart[] {
  let reached = 0;
  return PART_NAMES.map(([key, name]) => {
    const from = reached;
    reached += parts[key];
    return { key, name, value: parts[key], from, to: reached };
  });
}

/** The scale that holds all bars and zero, with a little room. */
export function scaleOf(chain: ExplainedPart[]): { low: number; high: number } {
  const ends = [0, ...chain.map((part) => part.to)];
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  const room = Math.max(0.1, (high - low) * 0.04);
  return { low: low - room, high: high + room };
}
