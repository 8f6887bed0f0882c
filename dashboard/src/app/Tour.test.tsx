// The guided tour: offered by the demo alone, resumed by its address, left at any time.
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { orderRow, scoreEvent, stats } from "../test/examples.ts";
import { FakeEventSource } from "../test/fakeEventSource.ts";
import { routes, serve, sessionOf, show, type Routes } from "./harness.tsx";


function demo(change: Routes = {}): Routes {
  return routes({ "GET /api/stats": () => [200, stats({ model_sandbox: true })], ...change });
}

describe("the guided tour", () => {
  it("is offered by the demo, goes on from page to page, and is left", async () => {
    serve(demo());
    show("/");
    await userEvent.click(await screen.findByTestId("tour-offer"));
    const panel = await screen.findByTestId("tour");
    expect(within(panel).getByText("Guided tour, step 1 of 6")).toBeTruthy();
    await userEvent.click(screen.getByRole("link", { name: "Clients" }));
    expect(await screen.findByRole("heading", { level: 1, name: "Clients" })).toBeTruthy();
    expect(screen.getByTestId("tour")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Leave the tour" }));
    await waitFor(() => {
      expect(screen.queryByTestId("tour")).toBeNull();
    });
    expect(screen.getByRole("heading", { level: 1, name: "Clients" })).toBeTruthy();
  });

  it("is not offered, nor does it run, where a real model is asked", async () => {
    serve(demo({ "GET /api/stats": () => [200, stats({ model_sandbox: false })] }));
    show("/?tour=2");
    expect(await screen.findByText(/The tour is for the demo alone/)).toBeTruthy();
    expect(screen.queryByTestId("tour-offer")).toBeNull();
  });

  it("takes the focus to a step that one goes to", async () => {
    serve(demo());
    show("/?tour=2");
    await userEvent.click(await screen.findByTestId("tour-next"));
    const heading = await screen.findByRole("heading", { name: "Why this client" });
    expect(document.activeElement).toBe(heading);
  });

  it("measures the time from an order's row to its score", async () => {
    serve(
      demo({
        "POST /api/orders": () => [201, orderRow({ id: 7, version: 120 })],
        "GET /api/episodes": () => [200, { items: [], next: null }],
      }),
    );
    show("/clients?tour=2");
    await userEvent.click(
      await screen.findByRole("button", { name: "Place an order of client 42" }),
    );
    await screen.findByText(/The row goes from Postgres/);
    act(() => {
      FakeEventSource.newest().say("score", scoreEvent({ merged: [["order/7", 119]] }));
    });
    expect(screen.queryByTestId("tour-row-to-score")).toBeNull();
    act(() => {
      FakeEventSource.newest().say("score", scoreEvent({ version: 121, merged: [["order/7", 120]] }));
    });
    expect((await screen.findByTestId("tour-row-to-score")).textContent).toMatch(/^[\d,]+ ms$/);
    expect(screen.getByTestId("tour-score-after").textContent).toContain("46");
  });

  it("shows a replay's own before and after", async () => {
    serve(
      demo({
        "GET /api/ledger": () => [
          200,
          { balanced: true, total: 5, begun: 5, by_state: {}, by_history: {}, mismatched: 0 },
        ],
        "POST /api/replays": () => [202, { id: 3, state: "running", result: null }],
        "GET /api/operations/3": () => [200, { id: 3, state: "done", result: { records: 4 } }],
      }),
    );
    show("/?tour=6");
    expect((await screen.findByTestId("tour-ledger")).textContent).toContain("balances: 5 begun");
    await userEvent.click(await screen.findByRole("button", { name: "Replay client 42" }));
    expect((await screen.findByTestId("tour-replay")).textContent).toContain("Nothing changed");
  });

  it("says which permission a step needs", async () => {
    serve(demo());
    show(`/?tour=3`, sessionOf(["clients:read"]));
    expect(await screen.findByText(/permission emails:read/)).toBeTruthy();
  });
});
