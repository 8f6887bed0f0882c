// How clients by state are stacked and thinned out.
import { expect, it } from "vitest";
import { overviewDay } from "../../test/overview.ts";
import { bandsOf, mostOf, thinned } from "./stacked.ts";

it("lays each state on the one below, and leaves no gap for a state that nobody has", () => {
  const days = [
    overviewDay({ clients_by_state: { active: 5, at_risk: 2 } }),
    overviewDay({ clients_by_state: { active: 4, at_risk: 3, lapsed: 1 } }),
  ];
  const bands = Object.fromEntries(bandsOf(days).map((band) => [band.state, band.edges]));
  expect(bands["at_risk"]).toEqual([[0, 2], [0, 3]]);
  expect(bands["active"]).toEqual([[2, 7], [3, 7]]);
  expect(bands["lapsed"]).toEqual([[7, 7], [7, 8]]);
  expect(mostOf(days)).toBe(8);
});

it("has a scale even where nobody is", () => {
  expect(mostOf([])).toBe(1);
});

it("keeps the first and the newest day of many", () => {
  const items = Array.from({ length: 90 }, (_, index) => index);
  const some = thinned(items, 12);
  expect(some).toHaveLength(12);
  expect([some[0], some.at(-1)]).toEqual([0, 89]);
  expect(thinned([1, 2], 12)).toEqual([1, 2]);
});
