// Pure: what the tour reckons from the API's answers. What was not measured is never filled in.
import { count, plural } from "../../shared/format.ts";
import type { EffectInShort, EmailDetail, ScoreEvent } from "../../api/types.ts";
import type { Run } from "./queries.ts";

export interface Backtest {
  precision: Proportion;
  base_rate: Proportion;
  scored: number;
  auc: number | null;
  calibration_error: number | null;
}

export interface Proportion {
  n: number;
  share: number | null;
  low: number | null;
  high: number | null;
}

/** What a what-if found out about the policy in force; null when the result tells nothing of it. */
export function backtestOf(run: Run): Backtest | null {
  const told = run.result?.["what_if"] as
    | { present?: { backtest?: Partial<Backtest> } }
    | null
    | undefined;
  const found = told?.present?.backtest;
  return found?.precision === undefined || found.base_rate === undefined
    ? null
    : {
        precision: found.precision,
        base_rate: found.base_rate,
        scored: found.scored ?? 0,
        auc: found.auc ?? null,
        calibration_error: found.calibration_error ?? null,
      };
}

export function shareWords({ share, low, high, n }: Proportion): string {
  if (share === null || low === null || high === null) return `too few to say (${count(n)})`;
  const [value, from, to] = [share, low, high].map((part) => (part * 100).toFixed(1));
  return `${value ?? ""} % (${from ?? ""} to ${to ?? ""}) of ${count(n)}`;
}

/** The mean cost of an email over all its model calls; null where no call told it. */
export function costOf(
  emails: readonly Pick<EmailDetail, "calls">[],
): { each: number; currency: string; emails: number } | null {
  const told = emails.filter(
    ({ calls }) => calls.length > 0 && calls.every((call) => call.cost !== null),
  );
  const costs = told.flatMap(({ calls }) => calls.flatMap(({ cost }) => cost ?? []));
  const [first] = costs;
  if (first === undefined) return null;
  const sum = costs.reduce((total, cost) => total + Number(cost.amount), 0);
  return { each: sum / told.length, currency: first.currency, emails: told.length };
}

/** Whether a score was made with a version of an order, or a later one. */
export function hasMerged(event: ScoreEvent, orderId: number, version: number): boolean {
  return event.merged.some(
    ([entity, merged]) => entity === `order/${orderId}` && merged >= version,
  );
}

/** The effect with its interval, or how many clients are missing. */
export function effectWords(effect: EffectInShort): string {
  const { difference, needed_per_arm, held_out, not_held_out, window_days } = effect;
  if (difference === null) {
    const missing = Math.max(0, needed_per_arm - Math.min(held_out, not_held_out));
    return `too few: needs ${count(missing)} more clients whose ${plural(window_days, "day")} are over`;
  }
  const { points, low, high } = difference;
  return `${points.toFixed(1)} points (95 %: ${low.toFixed(1)} to ${high.toFixed(1)})`;
}

export interface Standing {
  as_of: string;
  score: number | null;
  emails: number;
}

/** What a replay changed: nothing, or a day that passed meanwhile, or what it should not have. */
export function changedWords(before: Standing, after: Standing): { text: string; isFine: boolean } {
  if (after.emails !== before.emails) {
    return { text: `Emails went from ${before.emails} to ${after.emails}.`, isFine: false };
  }
  const same = `${plural(after.emails, "email")} before and after`;
  if (after.as_of !== before.as_of) {
    return {
      text: `Nothing was written: ${same}. A business day passed meanwhile, so the score is another day’s.`,
      isFine: true,
    };
  }
  const isSame = after.score === before.score;
  return {
    text: isSame
      ? `Nothing changed: ${same}, and the same score to the last digit.`
      : `The score went from ${String(before.score)} to ${String(after.score)}.`,
    isFine: isSame,
  };
}
