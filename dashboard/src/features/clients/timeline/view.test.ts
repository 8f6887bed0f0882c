// What the address of a client may say about the line of time.
import { expect, it } from "vitest";
import { readViewSearch, viewOf, viewSearchOf } from "./view.ts";

it("keeps what is valid, drops the rest, and keeps defaults out of the address", () => {
  expect(readViewSearch({ range: "90d", until: "2026-11-22", evil: 1 })).toEqual({
    range: "90d",
    until: "2026-11-22",
  });
  expect(readViewSearch({ range: "year", until: "2026-13-40" })).toEqual({});
  expect(readViewSearch({ range: "toString", until: ["x"] })).toEqual({});
});

it("is the same view after a way through the address", () => {
  const view = { range: "90d", end: "2026-11-22" } as const;
  expect(viewOf(viewSearchOf(view))).toEqual(view);
  expect(viewOf({})).toEqual({ range: "year", end: null });
});
