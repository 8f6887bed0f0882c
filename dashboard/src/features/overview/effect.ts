// Pure: what writing did, in words; never a number that too few clients stand behind.
import type { EffectInShort } from "../../api/types.ts";
import { count, plural } from "../../shared/format.ts";

export interface EffectWords {
  /** The figure, or that there is none. */
  value: string;
  about: string;
  /** Whether the interval excludes nothing at all having happened. */
  isClear: boolean;
}

function points(value: number): string {
  const text = Math.abs(value).toFixed(1);
  if (Number(text) === 0) return "0.0";
  return value < 0 ? `−${text}` : `+${text}`;
}

/** How many more clients the smaller group needs before a figure is shown. */
export function stillNeeded(effect: EffectInShort): number {
  return Math.max(0, effect.needed_per_arm - Math.min(effect.held_out, effect.not_held_out));
}

export function effectWords(effect: EffectInShort): EffectWords {
  const within = `within ${plural(effect.window_days, "day")}`;
  if (effect.difference === null) {
    const more = stillNeeded(effect);
    const smaller = effect.held_out <= effect.not_held_out ? "held out" : "written to";
    const waits =
      effect.waiting === 0 ? "" : ` ${plural(effect.waiting, "client")} are still in their window.`;
    return {
      value: "Too few yet",
      about:
        `Needs ${count(more)} more ${smaller} clients whose ${effect.window_days} days are over ` +
        `(${count(effect.needed_per_arm)} in each group).${waits}`,
      isClear: false,
    };
  }
  const { points: value, low, high } = effect.difference;
  return {
    value: `${points(value)} points`,
    about:
      `more of those written to ordered ${within} than of those held out; ` +
      `95 % interval ${points(low)} to ${points(high)}.`,
    isClear: low > 0 || high < 0,
  };
}
