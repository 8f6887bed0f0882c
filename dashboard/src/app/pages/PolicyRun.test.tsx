// A what-if over the whole history: started on demand, followed, and told with links.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { policy, PREVIEW } from "../../test/policies.ts";
import { routes, sent, serve, sessionOf, show } from "../harness.tsx";

const RUN = {
  id: 9,
  kind: "what-if",
  actor: "olivia",
  parameters: { policy: { theta: 0.45 }, day: null, clients: 200, cost_per_email: null },
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
const STANDING = {
  at_risk: 1,
  expected_precision: 0.8,
  backtest: { precision: { count: 80, n: 100, share: 0.8, low: 0.7, high: 0.87 } },
};
const RESULT = {
  what_if: {
    clients: 1000,
    entering: 1,
    leaving: 0,
    present: STANDING,
    candidate: STANDING,
    emails: { expected: 0.9, held_for_a_person: 0, expected_cost: null },
    moved: [
      { client_id: 42, before: "active", after: "at_risk", score_before: 0.4, score_after: 0.4 },
    ],
    moved_left_out: 0,
  },
};
function served(run: () => unknown): void {
  serve(
    routes({
      "GET /api/policies/current": () => [200, policy(3)],
      "GET /api/policies": () => [200, { items: [policy(3)], next: null }],
      "POST /api/policies/preview": () => [200, PREVIEW],
      "POST /api/what-ifs": () => [202, RUN],
      "GET /api/what-ifs/9": () => [200, run()],
    }),
  );
}

it("follows a run over the whole history, and names who enters and leaves", async () => {
  let state = "running";
  served(() => (state === "running" ? RUN : { ...RUN, state, result: RESULT }));
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

it("lets those run it who may try policies and nothing of the operations", async () => {
  served(() => RUN);
  show("/policy?try=theta%3D45", sessionOf(["clients:read", "policy:read"]));
  await userEvent.click(await screen.findByRole("button", { name: "Run it" }));
  expect((await screen.findByTestId("run-progress")).textContent).toContain("10 of 20");
});

it("keeps the run in the address, through changes of the values too", async () => {
  served(() => ({ ...RUN, state: "done", result: RESULT }));
  const router = show("/policy?try=theta%3D45");
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Run it" }));
  await screen.findByTestId("run-result");
  expect(router.state.location.search).toEqual({ try: "theta=45", run: 9 });
  expect(screen.queryByText(/values that the run was started with/)).toBeNull();
  await user.type(screen.getByLabelText("Cost of one email"), "2");
  await waitFor(() => {
    expect(router.state.location.search).toEqual({ try: "theta=45", cost: "2", run: 9 });
  });
  expect(screen.getByText(/values that the run was started with/)).toBeTruthy();
});

it("shows the run that an address names, and starts none", async () => {
  served(() => ({ ...RUN, state: "done", result: RESULT }));
  show("/policy?try=theta%3D45&run=9");
  expect((await screen.findByTestId("run-result")).textContent).toContain("1 enter");
  expect(screen.queryByText(/values that the run was started with/)).toBeNull();
  expect(sent.filter(({ path }) => path === "/api/what-ifs")).toEqual([]);
});
