// Pages that show something already and cannot read it anew: they say so, and keep what they have.
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { FakeEventSource } from "../../test/fakeEventSource.ts";
import { policy, PREVIEW } from "../../test/policies.ts";
import { routes, serve, show } from "../harness.tsx";
import "./ClientPage.tsx";
import "./EmailsPage.tsx";
import "./OperationsPage.tsx";
import "./PolicyPage.tsx";

const AWAY = { title: "Service Unavailable", status: 503, detail: "the books are being moved" };
const NOTED = {
  id: 1,
  actor: "olivia",
  action: "client.updated",
  resource: "client/42",
  version: 7,
  request: null,
  request_id: null,
  detail: {},
  at: "2026-11-22T09:00:00Z",
  masked: false,
};

it.each([
  ["/clients/42", "/api/clients/42", "client-detail"],
  ["/emails/42-20600", "/api/emails/42-20600", "email-detail"],
  ["/policy", "/api/policies/current", "version-1"],
  ["/policy", "/api/policies", "version-1"],
  ["/operations?tab=audit", "/api/audit", "audit"],
])("%s keeps what it shows of %s, and says that it may be old", async (page, reads, shows) => {
  const table = routes({
    "GET /api/policies/current": () => [200, policy(1)],
    "GET /api/policies": () => [200, { items: [policy(1)], next: null }],
    "POST /api/policies/preview": () => [200, PREVIEW],
    "GET /api/audit": () => [200, { items: [NOTED], next: null }],
  });
  let isAway = false;
  const there = table[`GET ${reads}`];
  if (there === undefined) throw new Error(`nothing answers ${reads}`);
  table[`GET ${reads}`] = (body, headers) => (isAway ? [503, AWAY] : there(body, headers));
  serve(table);
  show(page);
  await screen.findByTestId(shows, {}, { timeout: 8_000 });
  isAway = true;
  act(() => {
    FakeEventSource.newest().say("reset", {});
  });
  const saying = await screen.findByText("The books are being moved", {}, { timeout: 8_000 });
  const problem = saying.closest<HTMLElement>('[data-testid="problem"]');
  if (problem === null) throw new Error("it is no problem");
  expect(screen.getByTestId(shows)).toBeTruthy();
  isAway = false;
  await userEvent.click(within(problem).getByRole("button", { name: "Try again" }));
  await waitFor(() => {
    expect(screen.queryByText("The books are being moved")).toBeNull();
  });
}, 20_000);
