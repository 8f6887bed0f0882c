// How far a hop is behind, in words.
import { expect, it } from "vitest";
import type { PipelineHop } from "../../api/types.ts";
import { overview } from "../../test/overview.ts";
import { behindWords, lettersIn } from "./pipeline.ts";

function hop(change: Partial<PipelineHop>): PipelineHop {
  return {
    name: "relay",
    lag_records: null,
    lag_s: null,
    lag_bytes: null,
    exact: true,
    reason: null,
    ...change,
  };
}

it("says what waits and for how long, and that nothing does", () => {
  expect(behindWords(hop({ lag_records: 1, lag_s: 0.3 }))).toBe("1 record, <1 s");
  expect(behindWords(hop({ lag_records: 1500, lag_s: 300, exact: false }))).toBe(
    "≤ 1,500 records, 5 min",
  );
  expect(behindWords(hop({ lag_bytes: 2_400_000, lag_s: 7 }))).toBe("2.4 MB, 7 s");
  expect(behindWords(hop({ lag_records: 0, lag_s: 0 }))).toBe("nothing");
});

it("never calls unknown what is nothing, nor nothing what is unknown", () => {
  expect(behindWords(hop({ reason: "it could not be asked" }))).toBe("unknown");
  expect(behindWords(hop({}))).toBe("unknown");
});

it("adds dead letters up, and says when they could not be counted", () => {
  expect(lettersIn(overview().pipeline)).toBe(2);
  expect(lettersIn({ ...overview().pipeline, dead_letters: null })).toBeNull();
});
