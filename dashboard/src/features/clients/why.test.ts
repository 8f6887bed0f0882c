// Why a client stands where it does, in words and as bars.
import { describe, expect, it } from "vitest";
import type { RowScore } from "../../api/types.ts";
import { clientRow, scoreDetail } from "../../test/examples.ts";
import { featuresOf, nextOf } from "./sentences.ts";
import { chainOf, scaleOf, whyOf } from "./why.ts";

function why(change: Partial<RowScore>): string {
  const { score } = clientRow();
  if (score === null) throw new Error("the example has a score");
  return whyOf(clientRow({ score: { ...score, ...change } }));
}

describe("whyOf", () => {
  it("says when an active client falls at risk", () => {
    expect(why({ state: "active", crossing_day: "2026-12-12" })).toBe("Falls at risk in 20 days");
    expect(why({ state: "active", crossing_day: "2026-11-23" })).toBe("Falls at risk tomorrow");
  });

  it("says for how long a client has been at risk", () => {
    expect(why({})).toBe("At risk for 20 days");
    expect(why({ crossing_day: "2026-11-22" })).toBe("Fell at risk today");
  });

  it("has a phrase for every other state and for no score", () => {
    expect(why({ state: "no_orders", score: null })).toBe("No counted order yet");
    expect(why({ state: "one_order" })).toBe("Only one order so far");
    expect(why({ state: "lapsed" })).toBe("Silent for too long");
    expect(whyOf(clientRow({ score: null }))).toBe("Waits for its first score");
  });
});

describe("the parts", () => {
  const parts = { intercept: -2.5, frequency: 1.2, value: 0.7, recency: -0.9 };

  it("form a chain that ends at the log-odds", () => {
    const chain = chainOf(parts);
    expect(chain.map((part) => part.from)).toEqual([0, -2.5, -1.3, expect.closeTo(-0.6)]);
    expect(chain.at(-1)?.to).toBeCloseTo(-1.5);
  });

  it("fit on their scale, zero included", () => {
    const scale = scaleOf(chainOf(parts));
    expect(scale.low).toBeLessThan(-2.5);
    expect(scale.high).toBeGreaterThan(0);
  });
});

describe("sentences", () => {
  it("say what happens next", () => {
    const active = { state: "active", crossing_day: "2026-12-12" } as const;
    expect(nextOf(scoreDetail(active))).toBe(
      "Falls at risk on 12 Dec, in 20 days, if no order comes.",
    );
    expect(nextOf(scoreDetail())).toBe("At risk since 2 Nov. Lapses on 1 Feb 2027.");
  });

  it("put the features in words", () => {
    expect(featuresOf(scoreDetail())).toEqual([
      "Ordered on 3 days since 19 Mar; last 112 days ago.",
      "Usually orders every 60 days.",
      "What was spent counts USD\u00a0129.40 today: older orders count less.",
    ]);
    expect(featuresOf(scoreDetail({ features: null }))).toEqual([]);
  });
});
