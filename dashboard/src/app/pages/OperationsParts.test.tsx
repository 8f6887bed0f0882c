// The parts of the page of operations: one is shown and marked; empty, each says what to do.
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

it.each([
  ["/operations?tab=runs", "Nothing has been run yet", "Begin a backfill or a replay above"],
  ["/operations?tab=letters", "No dead letters", "Nothing is to be done"],
  [
    "/operations?tab=letters&topic=client.events",
    "No letter of this topic waits",
    "nothing is to be done",
  ],
])("says what to do where nothing is: %s", async (path, title, todo) => {
  serve(
    routes({
      "GET /api/operations": () => [200, { items: [], next: null }],
      "GET /api/dead-letters": () => [200, { topics: [], letters: [], next: null }],
    }),
  );
  show(path);
  expect((await screen.findByText(title)).parentElement?.textContent).toContain(todo);
});
