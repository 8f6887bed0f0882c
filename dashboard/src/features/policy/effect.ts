// Pure: what a preview says, in the numbers that are shown and in a sentence before saving.
import { count, money, percent, plural } from "../../shared/format.ts";
import type { PolicyPreview } from "./document.ts";

/** Emails a day: exact enough to compare, not more. */
export function rate(perDay: number): string {
  return perDay >= 100 ? count(Math.round(perDay)) : perDay.toFixed(1);
}

export interface Row {
  name: string;
  present: string;
  candidate: string;
}

export function comparison({ present, candidate }: PolicyPreview): Row[] {
  const precision = (value: number | null): string =>
    value === null ? "nobody at risk" : percent(value);
  const cost = (side: PolicyPreview["present"]): string =>
    side.cost_per_day === null
      ? "–"
      : money(side.cost_per_day.amount, side.cost_per_day.currency);
  return [
    { name: "At risk", present: count(present.at_risk), candidate: count(candidate.at_risk) },
    {
      name: "Expected precision",
      present: precision(present.expected_precision),
      candidate: precision(candidate.expected_precision),
    },
    {
      name: "Emails a day",
      present: rate(present.emails_per_day),
      candidate: rate(candidate.emails_per_day),
    },
    { name: "Cost a day", present: cost(present), candidate: cost(candidate) },
  ];
}

/** What saving does, in one sentence or two. */
export function effectOf(preview: PolicyPreview): string {
  const { entering, leaving, emails_at_once, held_for_a_person, cost_at_once } = preview;
  const cost = cost_at_once === null ? "" : ` (${money(cost_at_once.amount, cost_at_once.currency)})`;
  const held =
    held_for_a_person === 0
      ? ""
      : ` ${plural(held_for_a_person, "client")} fell at risk long ago and ${held_for_a_person === 1 ? "waits" : "wait"} for a person.`;
  return (
    `${plural(entering, "client")} ${entering === 1 ? "falls" : "fall"} at risk at once and ` +
    `${count(leaving)} no longer ${leaving === 1 ? "does" : "do"}. ` +
    `About ${plural(Math.round(emails_at_once), "email")} will be written at once${cost}.${held}`
  );
}
