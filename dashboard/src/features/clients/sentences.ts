// Pure: a client's score and features as sentences a person would say.
import type { ScoreView } from "../../live/scores.ts";
import { daysBetween } from "../../shared/days.ts";
import { day, money, plural } from "../../shared/format.ts";

/** What happens next if nothing happens. */
export function nextOf(score: ScoreView): string {
  const { crossing_day, lapse_day, as_of } = score;
  switch (score.state) {
    case "no_orders":
      return "No counted order yet, so there is no score.";
    case "one_order":
      return "One order only: too little to know this client's rhythm.";
    case "lapsed":
      return lapse_day === null ? "Lapsed." : `Lapsed since ${day(lapse_day, as_of)}.`;
    case "active": {
      if (crossing_day === null) return "Orders as usual.";
      const left = plural(daysBetween(as_of, crossing_day), "day");
      return `Falls at risk on ${day(crossing_day, as_of)}, in ${left}, if no order comes.`;
    }
    case "at_risk": {
      const since = crossing_day === null ? "" : ` since ${day(crossing_day, as_of)}`;
      const lapses = lapse_day === null ? "" : ` Lapses on ${day(lapse_day, as_of)}.`;
      return `At risk${since}.${lapses}`;
    }
  }
}

/** The features behind the score. */
export function featuresOf(score: ScoreView): string[] {
  const { features, as_of } = score;
  if (features === null) return [];
  const spend = features.spend_decayed;
  const silent = daysBetween(features.last_day, as_of);
  const last = silent <= 0 ? "today" : silent === 1 ? "yesterday" : `${plural(silent, "day")} ago`;
  const days =
    features.order_days === 1
      ? `Ordered once, on ${day(features.first_day, as_of)}`
      : `Ordered on ${plural(features.order_days, "day")} since ${day(features.first_day, as_of)}`;
  return [
    `${days}; last ${last}.`,
    `Usually orders every ${plural(Math.round(features.usual_gap_days), "day")}.`,
    `What was spent counts ${money(Number(spend.amount), spend.currency)} today: older orders count less.`,
  ];
}
