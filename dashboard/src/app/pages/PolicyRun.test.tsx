// A what-if over the whole history: started on demand, followed, and told with links.
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { policy, PREVIEW } from "../../test/policies.ts";
import { routes, sent, serve, show } from "../harness.tsx";

it("follows a run over the whole history, and names who enters and leaves", async () => {
  const run = {
    id: 9,
    kind: "what-if",
    actor: "olivia",
    parameters: {},
    state: "running",
    step: "reading",
    done: 10,
    total: 20,
    result: null,
    error: null,
    created_at: "2026-11-22T09:00:00Z",
    updated_at: "2026-11-22T09:00:00Z",
    finished_at: null,
  };
  const standing = {
    at_risk: 1,
    expected_precision: 0.8,
    backtest: { precision: { count: 80, n: 100, share: 0.8, low: 0.7, high: 0.87 } },
  };
  const result = {
    what_if: {
      clients: 1000,
      entering: 1,
      leaving: 0,
      present: standing,
      candidate: standing,
      emails: { expected: 0.9, held_for_a_person: 0, expected_cost: null },
      moved: [
        { client_id: 42, before: "active", after: "at_risk", score_before: 0.4, score_after: 0.4 },
      ],
      moved_left_out: 0,
    },
  };
  let state = "running";
  serve(
    routes({
      "GET /api/policies/current": () => [200, policy(3)],
      "GET /api/policies": () => [200, { items: [policy(3)], next: null }],
      "POST /api/policies/preview": () => [200, PREVIEW],
      "POST /api/what-ifs": () => [202, run],
      "GET /api/what-ifs/9": () => [
        200,
        state === "running" ? run : { ...run, state, result },
      ],
    }),
  );
  show("/policy?try=theta%3D45");
  const user = userEvent.setup();
  await screen.findByTestId("policy-words");
  await user.click(await screen.findByText("Run it"));
  expect((await screen.findByTestId("run-progress")).textContent).toContain("10 of 20");
  expect(sent.find(({ path }) => path === "/api/what-ifs")?.body).toMatchObject({ policy: { theta: 0.45 } });
  state = "done";
  const link = await screen.findByRole("link", { name: "Client 42" });
  expect(link.getAttribute("href")).toBe("/clients/42");
});
