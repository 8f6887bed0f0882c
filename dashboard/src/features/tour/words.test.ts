import { describe, expect, it } from "vitest";
import { emailDetail, scoreEvent } from "../../test/examples.ts";
import type { Run } from "./queries.ts";
import { readTourSearch } from "./search.ts";
import { backtestOf, changedWords, costOf, effectWords, hasMerged, shareWords } from "./words.ts";

const CALL = {
  attempt: 1,
  model: "m",
  provider: null,
  outcome: "accepted",
  status_code: 200,
  generation_id: null,
  prompt_tokens: 10,
  completion_tokens: 5,
  cost: { amount: "0.002", currency: "USD" },
  latency_ms: 40,
  sandbox: true,
  at: "2026-11-22T09:00:00Z",
};

describe("what the tour reckons", () => {
  it("stands at a step that there is, or nowhere", () => {
    expect(readTourSearch({ tour: 3 })).toEqual({ tour: 3 });
    for (const tour of [0, 7, 2.5, "x", undefined]) expect(readTourSearch({ tour })).toEqual({});
  });

  it("tells a cost only of emails whose every call told it", () => {
    const told = emailDetail({ calls: [CALL, { ...CALL, attempt: 2 }] });
    const untold = emailDetail({ calls: [{ ...CALL, cost: null }] });
    expect(costOf([told, untold, emailDetail({ calls: [] })])).toEqual({
      each: 0.004,
      currency: "USD",
      emails: 1,
    });
    expect(costOf([untold])).toBeNull();
  });

  it("knows an order's score by its version", () => {
    const event = scoreEvent({ merged: [["order/7", 120]] });
    expect(hasMerged(event, 7, 120)).toBe(true);
    expect(hasMerged(event, 7, 121)).toBe(false);
    expect(hasMerged(event, 8, 120)).toBe(false);
  });

  it("tells no effect from too few clients, but how many are missing", () => {
    const effect = {
      enough: false,
      needed_per_arm: 500,
      window_days: 30,
      held_out: 40,
      not_held_out: 380,
      waiting: 3,
      difference: null,
    };
    expect(effectWords(effect)).toContain("too few: needs 460 more");
    const difference = { points: 4.2, low: 1, high: 7.4 };
    expect(effectWords({ ...effect, difference })).toBe("4.2 points (95 %: 1.0 to 7.4)");
  });

  it("says honestly what a replay changed", () => {
    const before = { as_of: "2026-11-22", score: 0.4, emails: 1 };
    expect(changedWords(before, before)).toMatchObject({ isFine: true });
    expect(changedWords(before, { ...before, score: 0.5 }).isFine).toBe(false);
    expect(changedWords(before, { ...before, emails: 2 }).isFine).toBe(false);
    const nextDay = changedWords(before, { as_of: "2026-11-23", score: 0.39, emails: 1 });
    expect(nextDay.isFine).toBe(true);
    expect(nextDay.text).toContain("A business day passed");
  });

  it("reads the test on the past, and makes none up", () => {
    const share = { n: 100, share: 0.5, low: 0.4, high: 0.6 };
    const run = (result: Record<string, unknown> | null): Run => ({ result }) as unknown as Run;
    const backtest = { precision: share, base_rate: share, scored: 9, auc: 0.8 };
    expect(backtestOf(run({ what_if: { present: { backtest } } }))).toMatchObject({
      auc: 0.8,
      calibration_error: null,
    });
    expect(backtestOf(run(null))).toBeNull();
    expect(shareWords(share)).toBe("50.0 % (40.0 to 60.0) of 100");
    expect(shareWords({ ...share, share: null })).toContain("too few");
  });
});
