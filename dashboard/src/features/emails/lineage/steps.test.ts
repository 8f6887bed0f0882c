// An email's lineage as the steps of a path, with nothing marked as found that was not.
import { describe, expect, it } from "vitest";
import { emailDetail } from "../../../test/examples.ts";
import { lsnText, orderPaths } from "./orderPaths.ts";
import type { Lineage, TracedOrder } from "./shapes.ts";
import { mainSteps } from "./steps.ts";

const ORDER: TracedOrder = {
  order_id: 7,
  version: 118,
  image: "kept",
  newest_version: 118,
  ordered_at: "2026-08-02T10:00:00Z",
  amount: "79.90",
  currency: "USD",
  status: "paid",
  lsn: 23_783_240,
  raw: { topic: "cdc.public.orders", partition: 0, offset: 12 },
  event: { topic: "client.events", partition: 5, offset: 34 },
};

function lineage(change: Partial<Lineage> = {}): Lineage {
  const { history, calls, decisions } = emailDetail();
  return {
    email: emailDetail(),
    facts_used: ["first_name", "style_tags"],
    written_as_of: null,
    erased: false,
    evidence: [{ day: "2026-08-02", amount: { amount: "79.90", currency: "USD" }, orders: [ORDER] }],
    score: {
      as_of: "2026-11-20T00:00:00Z",
      day: "2026-11-20",
      score: 0.2,
      entry: 0.29,
      parts: { intercept: -2.5, frequency: 1.2, value: 0.7, recency: -0.9 },
      cause: "score",
      value_at_risk: { amount: "129.40000000000003", currency: "USD" },
      last_order_day: "2026-08-02",
      crossing_day: "2026-11-02",
      generation: 1,
    },
    policy: {
      version: 1,
      document: {} as Lineage["policy"]["document"],
      note: "",
      created_by: "fit",
      created_at: "2026-11-01T00:00:00Z",
    },
    calls,
    checks: { passed: [], broken: [] },
    decisions,
    deliveries: [],
    history,
    ...change,
  };
}

const idsOf = (found: Lineage): string[] => mainSteps(found).map((step) => step.id);

describe("orderPaths", () => {
  it("goes from the row over its change to the event, each with its place", () => {
    const [path] = orderPaths(lineage());
    expect(path?.steps.map((step) => step.title)).toEqual(["Order 7", "Change", "Event"]);
    const change = path?.steps[1]?.facts.map((fact) => fact.value);
    expect(change).toEqual(["0/16AE748", "cdc.public.orders", "0", "12"]);
  });

  it("marks as verified only the record that the API has just read again", () => {
    const marks = (order: TracedOrder) =>
      orderPaths(lineage({ evidence: [{ day: "2026-08-02", amount: { amount: "0.01", currency: "USD" }, orders: [order] }] }))[0]?.steps.map(
        (step) => step.verified !== null,
      );
    expect(marks(ORDER)).toEqual([false, false, true]);
    const gone = { ...ORDER, image: "superseded", raw: null, event: null } as const;
    expect(marks(gone)).toEqual([false, false, false]);
    expect(mainSteps(lineage()).every((step) => step.verified === null)).toBe(true);
  });
});

const CALL = {
  attempt: 1,
  model: "m",
  provider: "p",
  generation_id: "gen-1",
  outcome: "accepted",
  status_code: 200,
  prompt_tokens: 500,
  completion_tokens: 120,
  cost: { amount: "0.0012", currency: "USD" },
  latency_ms: 840,
  sandbox: true,
  at: "2026-11-22T09:00:00Z",
};

describe("mainSteps", () => {
  it("follows the email as far as it has come", () => {
    expect(idsOf(lineage())).toEqual(["score", "episode", "row", "sent"]);
  });

  it("has every call of the model, the checks, the decisions and each delivery", () => {
    const found = lineage({
      calls: [{ ...CALL, outcome: "unusable: offer" }, CALL],
      checks: { passed: ["length", "plain"], broken: ["offer"] },
    });
    expect(idsOf(found)).toEqual(["score", "episode", "call-0", "call-1", "checks", "row", "sent"]);
    const checks = mainSteps(found).find((step) => step.id === "checks");
    expect(checks?.facts.at(-1)?.value).toContain("a discount");
    const [, second] = mainSteps(found).filter((step) => step.id.startsWith("call"));
    expect([second?.about, second?.tone]).toEqual([
      "The model answered with a text, and it was kept.",
      "done",
    ]);
    expect(second?.facts).toContainEqual({ name: "Cost", value: "USD\u00a00.0012" });
  });

  it.each([
    ["accepted", "it was kept", "done"],
    ["answered", "is being checked", "open"],
    ["in flight", "has not answered yet", "open"],
    ["discarded: the client ordered", "no longer wanted: the client ordered.", "ended"],
    ["unusable: offer", "no usable text: unusable: offer.", "ended"],
    ["unknown: the mailer went away", "no usable text: unknown", "ended"],
  ])("says what came of a call that ended as %s", (outcome, says, tone) => {
    const [step] = mainSteps(lineage({ calls: [{ ...CALL, outcome }] })).filter(
      (each) => each.id === "call-0",
    );
    expect(step?.about).toContain(says);
    expect(step?.tone).toBe(tone);
  });

  it("is short once the client was erased", () => {
    const erased = lineage({ erased: true, evidence: [], score: null });
    expect(orderPaths(erased)).toEqual([]);
    expect(idsOf(erased)).toEqual(["row", "sent"]);
  });
});

it("writes a place in the log as Postgres does", () => {
  expect(lsnText(23_783_240)).toBe("0/16AE748");
  expect(lsnText(2 ** 32 * 3 + 255)).toBe("3/FF");
});
