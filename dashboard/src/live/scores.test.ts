// Which image of a score wins, and what of the cache changes.
import { describe, expect, it } from "vitest";
import { clientRow, scoreDetail, scoreEvent, TODAY } from "../test/examples.ts";
import { patchDetail, patchPages, patchRow, supersedes, type ClientPages } from "./scores.ts";

describe("supersedes", () => {
  it("goes by generation, then by merged version, then by day", () => {
    const known = scoreEvent();
    expect(supersedes(scoreEvent({ generation: 2, version: 1 }), known)).toBe(true);
    expect(supersedes(scoreEvent({ version: 119, day: TODAY + 9 }), known)).toBe(false);
    expect(supersedes(scoreEvent({ day: TODAY - 1 }), known)).toBe(false);
    expect(supersedes(scoreEvent({ day: TODAY + 1 }), known)).toBe(true);
  });
});

describe("patchRow", () => {
  it("puts a newer score into the row and turns days into dates", () => {
    expect(patchRow(clientRow(), scoreEvent()).score).toEqual({
      as_of: "2026-11-22",
      score: 0.46,
      state: "active",
      crossing_day: "2026-12-12",
      policy_version: 1,
      merged_version: 120,
    });
  });

  it("gives a client its first score", () => {
    expect(patchRow(clientRow({ score: null }), scoreEvent()).score?.score).toBe(0.46);
  });

  it("keeps the row where the event is older, is not newer, or is another client's", () => {
    const row = clientRow();
    expect(patchRow(row, scoreEvent({ version: 109 }))).toBe(row);
    expect(patchRow(row, scoreEvent({ version: 110 }))).toBe(row);
    expect(patchRow(row, scoreEvent({ client_id: 43 }))).toBe(row);
    expect(patchRow(row, undefined)).toBe(row);
  });

  it("takes an event of the same version when its day is later", () => {
    const event = scoreEvent({ version: 110, day: TODAY + 1, score: 0.17 });
    expect(patchRow(clientRow(), event).score).toMatchObject({ as_of: "2026-11-23", score: 0.17 });
  });
});

describe("patchPages", () => {
  const pages: ClientPages = {
    pages: [
      { items: [clientRow({ id: 41 })], next: "a" },
      { items: [clientRow()], next: null },
    ],
    pageParams: [null, "a"],
  };

  it("changes the one row and keeps the identity of every other page", () => {
    const patched = patchPages(pages, (id) => (id === 42 ? scoreEvent() : undefined));
    expect(patched.pages[0]).toBe(pages.pages[0]);
    expect(patched.pages[1]?.items[0]?.score?.score).toBe(0.46);
    expect(pages.pages[1]?.items[0]?.score?.score).toBe(0.18);
  });

  it("returns the same pages when no row changes", () => {
    expect(patchPages(pages, () => undefined)).toBe(pages);
  });
});

describe("patchDetail", () => {
  it("shows the new score at once and marks that the rest is still to come", () => {
    const view = patchDetail(scoreDetail(), scoreEvent());
    expect(view).toMatchObject({ score: 0.46, state: "active", version: 120, behind: true });
    expect(view.explanation?.score_after_order).toBeNull();
    expect(view.explanation?.total).toBeCloseTo(-0.16);
  });

  it("leaves a detail alone that is as new as the event", () => {
    const detail = scoreDetail({ version: 120 });
    expect(patchDetail(detail, scoreEvent())).toBe(detail);
  });
});
