import { describe, expect, it } from "vitest";
import { readOperationsSearch } from "./search.ts";
import type { Run } from "./shapes.ts";
import { askedWords, backfillEffect, letterEffect, outcomeWords, replayEffect } from "./words.ts";

function run(change: Partial<Run> = {}): Run {
  return {
    id: 7,
    kind: "backfill",
    actor: "olivia",
    parameters: { table: "orders", where: null },
    state: "done",
    step: "",
    done: 0,
    total: null,
    result: { rows: 12, seconds: 3.2 },
    error: null,
    created_at: "2026-11-22T09:00:00Z",
    updated_at: "2026-11-22T09:00:04Z",
    finished_at: "2026-11-22T09:00:04Z",
    ...change,
  };
}

describe("operations in words", () => {
  it("states the effect first, in numbers, and what will not happen", () => {
    expect(backfillEffect({ table: "orders", rows: 1204 })).toMatch(/^1,204 rows of orders/);
    expect(backfillEffect({ table: "orders", rows: 1204 })).toContain("no email is written twice");
    expect(replayEffect({ client_ids: [1, 2], clients: 2, orders: 9 })).toMatch(
      /^2 clients and their 9 orders, 11 records in all/,
    );
    expect(letterEffect("client.events", 3, null)).toMatch(/^3 dead letters of client.events wait/);
    expect(backfillEffect({ table: "orders", rows: 0 })).toContain("nothing would be asked for");
  });

  it("tells what was asked for and how it ended", () => {
    expect(askedWords(run())).toBe("orders: every row");
    expect(outcomeWords(run())).toBe("12 rows read and sent in 3.2 s.");
    const left = { replayed: 2, left: [{ offset: 5, reason: "x", why: "gone" }], seconds: 1 };
    expect(outcomeWords(run({ kind: "dead-letter-replay", result: left }))).toContain(
      "2 letters made up for; 1 letter stays",
    );
    expect(outcomeWords(run({ state: "failed", error: "no scorer reads it" }))).toBe(
      "no scorer reads it",
    );
  });

  it("reads the address, and drops what it does not know", () => {
    expect(readOperationsSearch({ tab: "letters", topic: "client.events", letter: 5 })).toEqual({
      tab: "letters",
      topic: "client.events",
      letter: 5,
    });
    expect(readOperationsSearch({ tab: "x", letter: 5, topic: "" })).toEqual({});
  });
});
