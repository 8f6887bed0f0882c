// The page of operations: what waits, what is asked before it runs, and what was done.
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { COUNTS, LETTER, run, STATUS } from "../../test/operations.ts";
import { routes, sent, serve, sessionOf, show, type Routes } from "../harness.tsx";

function operations(change: Routes = {}): Routes {
  return routes({
    "GET /api/status": () => [200, STATUS],
    "GET /api/operations": () => [200, { items: [], next: null }],
    "GET /api/dead-letters": () => [200, { topics: [COUNTS], letters: [], next: null }],
    "GET /api/dead-letters?topic=client.events&limit=25": () => [
      200,
      { topics: [COUNTS], letters: [LETTER], next: null },
    ],
    "GET /api/audit": () => [200, { items: [], next: null }],
    ...change,
  });
}

const keysSent: (string | null)[] = [];

/** Note the Idempotency-Key of every start. */
function noteKeys(): void {
  const before = globalThis.fetch;
  vi.stubGlobal("fetch", (address: string, init: RequestInit) => {
    if (init.method === "POST") keysSent.push(new Headers(init.headers).get("idempotency-key"));
    return before(address, init);
  });
}

beforeEach(() => {
  keysSent.length = 0;
});

describe("operations", () => {
  it("tells what waits at each reader, and what could not be asked", async () => {
    serve(operations());
    show("/operations");
    expect((await screen.findByTestId("behind-relay")).textContent).toBe("12 records, <1 s");
    expect(screen.getByText("nobody reads")).toBeTruthy();
    expect(screen.getByTestId("behind-scorer").textContent).toBe("nothing");
    expect(screen.getByText("the mailer does not answer")).toBeTruthy();
  });

  it("states what a backfill does before it starts it, once, under a key of its own", async () => {
    serve(
      operations({
        "POST /api/backfills/preview": () => [200, { table: "orders", rows: 1204 }],
        "POST /api/backfills": () => [202, run()],
      }),
    );
    noteKeys();
    show("/operations?tab=runs");
    await userEvent.click(await screen.findByRole("button", { name: "Count the rows…" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    expect(await dialog.findByText(/1,204 rows of orders match now/)).toBeTruthy();
    expect(dialog.getByText(/no email is written twice/)).toBeTruthy();
    expect(sent.map(({ path }) => path)).not.toContain("/api/backfills");
    await userEvent.click(dialog.getByRole("button", { name: "Start the backfill" }));
    await waitFor(() => {
      expect(sent.at(-1)).toEqual({
        method: "POST",
        path: "/api/backfills",
        body: { table: "orders" },
      });
    });
    expect(keysSent.at(-1)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("replays exactly the clients that were counted", async () => {
    serve(
      operations({
        "POST /api/replays/preview": () => [200, { client_ids: [3, 8], clients: 2, orders: 9 }],
        "POST /api/replays": () => [202, run({ kind: "replay" })],
      }),
    );
    show("/operations?tab=runs");
    const form = within(await screen.findByRole("form", { name: "Replay" }));
    await userEvent.type(form.getByLabelText("Numbers"), "8, 3");
    await userEvent.click(form.getByRole("button", { name: "Count the records…" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    expect(await dialog.findByText(/2 clients and their 9 orders, 11 records/)).toBeTruthy();
    await userEvent.click(dialog.getByRole("button", { name: "Start the replay" }));
    await waitFor(() => {
      expect(sent.at(-1)?.body).toEqual({ client_ids: [3, 8] });
    });
  });

  it("starts nothing that could not be counted", async () => {
    serve(
      operations({
        "POST /api/backfills/preview": () => [
          422,
          { title: "Invalid", status: 422, detail: "--where: brackets do not match" },
        ],
      }),
    );
    show("/operations?tab=runs");
    await userEvent.click(await screen.findByRole("button", { name: "Count the rows…" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    expect(await dialog.findByText(/brackets do not match/)).toBeTruthy();
    expect(
      dialog.getByRole("button", { name: "Start the backfill" }).hasAttribute("disabled"),
    ).toBe(true);
  });

  it("tells how far a run is, who began it, and why one failed", async () => {
    const failed = run({
      id: 8,
      kind: "replay",
      state: "failed",
      error: "no scorer reads it",
      parameters: { clients: [42] },
    });
    serve(operations({ "GET /api/operations": () => [200, { items: [run(), failed], next: null }] }));
    show("/operations?tab=runs");
    const first = within(await screen.findByTestId("run-9"));
    expect(first.getByRole("progressbar").getAttribute("value")).toBe("40");
    expect(first.getByText("rows of orders read: 40 of 120")).toBeTruthy();
    expect(first.getByText(/begun by olivia/)).toBeTruthy();
    expect(within(screen.getByTestId("run-8")).getByText("no scorer reads it")).toBeTruthy();
  });

  it("shows one dead letter without personal data, and sends it again when told to", async () => {
    serve(
      operations({
        "POST /api/dead-letters/replays": () => [202, run({ kind: "dead-letter-replay" })],
      }),
    );
    show("/operations?tab=letters");
    expect((await screen.findByTestId("waiting-client.events")).textContent).toBe("2");
    expect(screen.getByText("bad_amount (2)")).toBeTruthy();
    await userEvent.click(screen.getByRole("link", { name: "client.events" }));
    await userEvent.click(await screen.findByRole("link", { name: "5" }));
    const letter = await screen.findByTestId("letter");
    expect(letter.textContent).toContain("order_id: 7");
    expect(letter.textContent).not.toContain("Ada");
    await userEvent.click(within(letter).getByRole("button", { name: "Send this one again…" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    expect(dialog.getByText(/no email is written twice/)).toBeTruthy();
    await userEvent.click(dialog.getByRole("button", { name: "Send again" }));
    await waitFor(() => {
      expect(sent.at(-1)?.body).toEqual({ topic: "client.events", offset: 5 });
    });
  });

  it("loads more dead letters, and says so while one is not among them", async () => {
    const later = { ...LETTER, offset: 31 };
    serve(
      operations({
        "GET /api/dead-letters?topic=client.events&limit=25": () => [
          200,
          { topics: [COUNTS], letters: [LETTER], next: "behind-5" },
        ],
        "GET /api/dead-letters?topic=client.events&limit=25&cursor=behind-5": () => [
          200,
          { topics: [], letters: [later], next: null },
        ],
      }),
    );
    show("/operations?tab=letters&topic=client.events&letter=31");
    expect(await screen.findByText("Letter 31 is not among those shown")).toBeTruthy();
    expect(screen.getByText("The oldest 1 of 2 letters.")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Load more" }));
    expect(await screen.findByTestId("letter")).toBeTruthy();
    expect(screen.getByRole("link", { name: "31" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
  });

  it("lets those look who may not act, and says what they would need", async () => {
    serve(operations());
    show("/operations?tab=letters", sessionOf(["clients:read", "ops:read"]));
    expect(await screen.findByTestId("letter-topics")).toBeTruthy();
    expect(screen.getByText(/you need the permission\s+ops:replay/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Send all again…" })).toBeNull();
  });

  it("lists the audit, of one resource when asked", async () => {
    const row = {
      id: 1,
      at: "2026-11-22T09:00:00Z",
      actor: "olivia",
      action: "client.erased",
      resource: "client/42",
      version: 7,
      detail: { orders: 3 },
      request: "DELETE /api/clients/{client_id}",
      request_id: null,
    };
    serve(
      operations({
        "GET /api/audit?resource=client%2F42&limit=25": () => [200, { items: [row], next: null }],
      }),
    );
    show("/operations?tab=audit");
    expect(await screen.findByText("Nothing is noted")).toBeTruthy();
    await userEvent.type(screen.getByLabelText("Resource"), "client/42");
    await userEvent.click(screen.getByRole("button", { name: "Show" }));
    const table = within(await screen.findByTestId("audit"));
    expect(table.getByRole("rowheader", { name: "client.erased" })).toBeTruthy();
    expect(table.getByText(/orders: 3/)).toBeTruthy();
  });
});
