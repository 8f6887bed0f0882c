// The parts of the page of operations: one of them is shown, and one is marked.
import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { routes, serve, show } from "../harness.tsx";

it.each([
  ["/operations", "Pipeline"],
  ["/operations?tab=runs", "Runs"],
  ["/operations?tab=letters&topic=client.events", "Dead letters"],
])("marks one part as the one that is shown: %s", async (path, title) => {
  serve(routes());
  show(path);
  const parts = await screen.findByRole("navigation", { name: "Parts of operations" });
  const current = [...parts.querySelectorAll('[aria-current="page"], [data-status="active"]')];
  expect(current.map((each) => each.textContent)).toEqual([title]);
});
