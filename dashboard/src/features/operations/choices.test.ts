import { describe, expect, it } from "vitest";
import { backfillOf, idsOf, replayOf, timeOf, Unfit } from "./choices.ts";

describe("what is typed into the forms of operations", () => {
  it("takes clients apart by anything usual, each once and in order", () => {
    expect(idsOf("42, 7;7\n 100 ")).toEqual([7, 42, 100]);
  });

  it.each(["", "ada", "1.5", "-3", "0", "9999999999999999"])("refuses %j as clients", (text) => {
    expect(() => idsOf(text)).toThrow(Unfit);
  });

  it("refuses more clients than one replay takes", () => {
    const many = Array.from({ length: 10_001 }, (_, index) => index + 1).join(" ");
    expect(() => idsOf(many)).toThrow("10,000");
  });

  it("takes both days of a time whole, in the viewer's zone", () => {
    const { begin, end } = timeOf("2026-11-01", "2026-11-01");
    expect(new Date(begin).getDate()).toBe(1);
    expect(new Date(end).getDate()).toBe(2);
    expect(() => timeOf("2026-11-02", "2026-11-01")).toThrow("after");
    expect(() => timeOf("", "2026-11-01")).toThrow(Unfit);
  });

  it("makes a condition of a time, for orders alone", () => {
    const form = { table: "orders", rows: "time", from: "2026-11-01", to: "2026-11-02", where: "" };
    expect(backfillOf(form).where).toMatch(
      /^ordered_at >= '[\dT:.-]+Z' and ordered_at < '[\dT:.-]+Z'$/,
    );
    expect(backfillOf({ ...form, table: "clients" }).where).toBeNull();
    expect(() => backfillOf({ ...form, rows: "condition" })).toThrow(Unfit);
    expect(() => backfillOf({ ...form, table: "episodes" })).toThrow(Unfit);
  });

  it("replays either clients by number or those who ordered", () => {
    const form = { who: "ids", ids: "3", from: "2026-11-01", to: "2026-11-02" };
    expect(replayOf(form)).toEqual({ client_ids: [3] });
    expect(Object.keys(replayOf({ ...form, who: "time" }))).toEqual([
      "ordered_from",
      "ordered_before",
    ]);
  });
});
