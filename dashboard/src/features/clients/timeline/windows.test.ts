// Which days the line of time shows.
import { describe, expect, it } from "vitest";
import { curveDaysOf, limitsOf, steppedEnd, stretchOf, type Extent } from "./windows.ts";

const extent: Extent = { first: "2023-01-10", today: "2026-11-22" };

describe("stretchOf", () => {
  it("looks back by the range, and ahead as far as it is worth", () => {
    expect(stretchOf("90d", extent, null)).toEqual({ from: "2026-08-24", to: "2027-01-21" });
    expect(stretchOf("year", extent, null)).toEqual({ from: "2025-11-22", to: "2027-05-21" });
    expect(stretchOf("all", extent, null)).toEqual(limitsOf(extent));
  });

  it("stays within what there is to see, whatever the address says", () => {
    expect(stretchOf("90d", extent, "2999-01-01").to).toBe(limitsOf(extent).to);
    expect(stretchOf("90d", extent, "1999-01-01").from).toBe(limitsOf(extent).from);
  });

  it("shows a young client's days whole", () => {
    const young = { first: "2026-11-20", today: "2026-11-22" };
    expect(stretchOf("all", young, null).from).toBe("2026-08-24");
    expect(stretchOf("year", young, null)).toEqual(stretchOf("year", extent, null));
  });
});

describe("steppedEnd", () => {
  it("goes by half of what is shown, until there is nothing more", () => {
    const back = steppedEnd("90d", extent, null, -1);
    expect(back).toBe("2026-11-07");
    expect(steppedEnd("90d", extent, back, 1)).toBe("2027-01-21");
    expect(steppedEnd("90d", extent, limitsOf(extent).to, 1)).toBeNull();
    expect(steppedEnd("all", extent, null, -1)).toBeNull();
  });
});

it("asks for the newest part of a curve that is too long for one answer", () => {
  const { from, to } = curveDaysOf(limitsOf(extent));
  expect((Date.parse(to) - Date.parse(from)) / 86_400_000 + 1).toBe(1_100);
});
