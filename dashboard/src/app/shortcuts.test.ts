// Which keys do what.
import { expect, it } from "vitest";
import { actOf, SHORTCUTS } from "./shortcuts.ts";

it("goes to a page by g and its letter, and by no letter alone", () => {
  expect(actOf("c", "g")).toEqual({ kind: "go", to: "/clients" });
  expect(actOf("c", null)).toBeNull();
  expect(actOf("z", "g")).toBeNull();
});

it("has an act for each key that it lists", () => {
  for (const [keys] of SHORTCUTS) {
    const [first = "", second] = keys.split(" ");
    expect(second === undefined ? actOf(first, null) : actOf(second, first)).not.toBeNull();
  }
});
