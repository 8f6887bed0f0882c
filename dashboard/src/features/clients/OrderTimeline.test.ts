// Labels on the line of time never run into each other.
import { expect, it } from "vitest";
import { labelledOf } from "./OrderTimeline.tsx";

it("labels today first, then whatever has room beside it", () => {
  const labelled = labelledOf([
    { kind: "crossing", left: 300 },
    { kind: "lapse", left: 480 },
    { kind: "today", left: 500 },
  ]);
  expect([...labelled].sort()).toEqual(["crossing", "today"]);
});
