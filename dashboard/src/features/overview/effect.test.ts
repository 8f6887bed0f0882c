// What writing did, in words.
import { expect, it } from "vitest";
import type { EffectInShort } from "../../api/types.ts";
import { EFFECT } from "../../test/overview.ts";
import { effectWords, stillNeeded } from "./effect.ts";

function effect(change: Partial<EffectInShort> = {}): EffectInShort {
  return { ...EFFECT, ...change };
}

it("says how many clients are missing instead of a figure while there are too few", () => {
  expect(stillNeeded(effect())).toBe(460);
  const words = effectWords(effect());
  expect(words.value).toBe("Too few yet");
  expect(words.about).toContain("460 more held out clients whose 90 days are over");
  expect(words.about).toContain("3 clients are still in their window");
});

it("tells the difference with its interval, and whether that excludes none at all", () => {
  const told = effectWords(effect({ enough: true, difference: { points: 4.21, low: 1, high: 7.4 } }));
  expect(told).toMatchObject({ value: "+4.2 points", isClear: true });
  expect(told.about).toContain("+1.0 to +7.4");
  const unclear = effectWords(
    effect({ enough: true, difference: { points: -0.04, low: -3.1, high: 3 } }),
  );
  expect(unclear).toMatchObject({ value: "0.0 points", isClear: false });
  expect(unclear.about).toContain("−3.1 to +3.0");
});
