// The business clock between two looks at the server's.
import { expect, it } from "vitest";
import { businessTime, rateWords } from "./clock.ts";

it("runs at its rate from the moment it was heard of, and never backwards", () => {
  const at = (now: number): string =>
    businessTime("2026-11-22T00:00:00Z", 86_400, 1_000, now).toISOString();
  expect(at(3_000)).toBe("2026-11-24T00:00:00.000Z");
  expect(at(0)).toBe("2026-11-22T00:00:00.000Z");
});

it("says how fast it runs, and nothing when it runs as usual", () => {
  expect(rateWords(1)).toBeNull();
  expect(rateWords(0)).toBe("clock stopped");
  expect(rateWords(60)).toBe("clock ×60");
  expect(rateWords(21_600)).toBe("a day every 4 s");
  expect(rateWords(172_800)).toBe("2 days a second");
});
