// The pages of clients: what a person sees and what their acts send.
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { clientRow, orderRow, scoreEvent } from "../../test/examples.ts";
import { FakeEventSource } from "../../test/fakeEventSource.ts";
import { routes, sent, serve, show } from "../harness.tsx";

describe("the page of clients", () => {
  it("lists each client with state, score, reason and crossing day", async () => {
    serve(routes());
    show("/clients");
    const row = within(await screen.findByTestId("client-42"));
    expect(row.getByRole("link", { name: "Ada Dahl" })).toBeTruthy();
    expect(row.getByTestId("state").textContent).toBe("At risk");
    expect(row.getByTestId("score").dataset["value"]).toBe("0.18");
    expect(row.getByTestId("why").textContent).toBe("At risk for 20 days");
    expect(row.getByTestId("crossing-day").textContent).toBe("2 Nov");
    expect(row.getByTestId("demo-data")).toBeTruthy();
  });

  it("changes a score in place when the stream tells of it", async () => {
    serve(routes());
    show("/clients");
    const row = await screen.findByTestId("client-42");
    act(() => {
      FakeEventSource.newest().say("score", scoreEvent());
    });
    await waitFor(() => {
      expect(within(row).getByTestId("score").dataset["value"]).toBe("0.46");
    });
    expect(within(row).getByTestId("state").dataset["state"]).toBe("active");
  });

  it("shows a problem with what to do about it", async () => {
    const problem = { title: "Not Found", status: 404, detail: "there is no such page of clients" };
    serve(routes({ "GET /api/clients": () => [404, problem] }));
    show("/clients");
    const shown = await screen.findByTestId("problem");
    expect(shown.textContent).toContain("There is no such page of clients");
    expect(within(shown).getByRole("button", { name: "Try again" })).toBeTruthy();
  });

  it("says so when nothing fits the filter", async () => {
    serve(routes({ "GET /api/clients": () => [200, { items: [], next: null }] }));
    show("/clients?state=lapsed");
    expect((await screen.findByTestId("empty")).textContent).toContain("No client fits");
  });
});

describe("the header", () => {
  it("says whether the page is live and that the model is a sandbox", async () => {
    serve(routes());
    show("/clients");
    expect(await screen.findByTestId("sandbox")).toBeTruthy();
    expect(screen.getByTestId("connection").textContent).toBe("Connecting…");
    act(() => {
      FakeEventSource.newest().open();
    });
    expect(screen.getByTestId("connection").textContent).toBe("Live");
  });
});

describe("the page of one client", () => {
  it("explains the score with parts that add up", async () => {
    serve(routes());
    show("/clients/42");
    expect((await screen.findByTestId("part-total")).textContent).toContain("−1.50");
    expect(screen.getByTestId("after-order").textContent).toMatch(/18\s% → 46\s%/);
  });

  it("says updating from one's own order until a score has merged it", async () => {
    serve(routes({ "POST /api/orders": () => [201, orderRow()] }));
    show("/clients/42");
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Add order" }));
    await user.type(await screen.findByLabelText("Amount"), "79,90");
    const dialog = within(screen.getByRole("dialog"));
    await user.click(dialog.getByRole("button", { name: "Add order" }));
    expect(await screen.findByTestId("updating")).toBeTruthy();
    expect(sent).toEqual([
      {
        method: "POST",
        path: "/api/orders",
        body: {
          client_id: 42,
          amount: "79.90",
          currency: "USD",
          status: "placed",
          category: "general",
        },
      },
    ]);
    act(() => {
      FakeEventSource.newest().say("score", scoreEvent({ version: 119, merged: [["order/6", 119]] }));
    });
    await waitFor(() => {
      expect(screen.getByTestId("score").dataset["value"]).toBe("0.46");
    });
    expect(screen.getByTestId("updating")).toBeTruthy();
    act(() => {
      FakeEventSource.newest().say("score", scoreEvent());
    });
    await waitFor(() => {
      expect(screen.queryByTestId("updating")).toBeNull();
    });
    expect(screen.getByTestId("settled")).toBeTruthy();
  });

  it("says so when the client has no score yet", async () => {
    serve(
      routes({
        "GET /api/clients/42": () => [200, clientRow({ score: null })],
        "GET /api/clients/42/score": () => [404, { title: "Not Found", status: 404 }],
      }),
    );
    show("/clients/42");
    expect(await screen.findByTestId("unscored")).toBeTruthy();
    expect(screen.getByTestId("state").textContent).toBe("Not scored yet");
  });
});
