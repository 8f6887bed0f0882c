// The page of one client: the line of time, consent, export, erase, and what may not be seen.
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { money } from "../../shared/format.ts";
import { MASK } from "../../shared/ui/Masked.tsx";
import { clientRow, emailDetail, orderRow } from "../../test/examples.ts";
// The pages are loaded with the file, so that no test's time pays for it.
import "../../features/clients/timeline/Timeline.tsx";
import { ALL_SCOPES, routes, sent, serve, sessionOf, show, type Routes } from "../harness.tsx";
import "./ClientPage.tsx";

const DAY_MS = 86_400_000;

function curve() {
  const first = Date.parse("2026-09-01");
  const points = Array.from({ length: 200 }, (_, index) => ({
    day: new Date(first + index * DAY_MS).toISOString().slice(0, 10),
    score: 0.6 - index * 0.002,
    state: index < 60 ? "active" : "at_risk",
  }));
  return {
    client_id: 42,
    as_of: "2026-11-22",
    policy_version: 1,
    entry: 0.3,
    exit: 0.33,
    points,
    crossing_day: "2026-11-02",
    lapse_day: "2027-02-01",
  };
}

const episode = {
  episode_id: "42-20600",
  client_id: 42,
  state: "held",
  reason: "crossed long before the first tick",
  opened_at: "2026-11-03T00:00:00Z",
  last_order_day: "2026-08-02",
  crossing_day: "2026-11-02",
  score: 0.2,
  value_at_risk: { amount: "129.40", currency: "USD" },
};

function table(change: Routes = {}): Routes {
  return routes({
    "GET /api/clients/42/curve": () => [200, curve()],
    "GET /api/episodes": () => [200, { items: [episode], next: null }],
    "GET /api/emails": () => [200, { items: [emailDetail()], next: null }],
    "GET /api/orders": () => [
      200,
      {
        items: [
          orderRow({ id: 8, ordered_at: "2026-09-20T09:00:00Z" }),
          orderRow({ id: 7, ordered_at: "2026-09-05T09:00:00Z" }),
        ],
        next: null,
      },
    ],
    ...change,
  });
}

/** The widths of the page, which has none without a browser. */
class WideObserver {
  private readonly callback: ResizeObserverCallback;
  constructor(callback: ResizeObserverCallback) {
    this.callback = callback;
  }
  observe(): void {
    const entry = { contentRect: { width: 900 } } as ResizeObserverEntry;
    queueMicrotask(() => {
      act(() => {
        this.callback([entry], this);
      });
    });
  }
  unobserve(): void {
    // Nothing to stop.
  }
  disconnect(): void {
    // Nothing to stop.
  }
}

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", WideObserver);
});

describe("the line of time", () => {
  it("has orders, the time at risk and the email on it, in the order of time, by arrow keys", async () => {
    serve(table());
    show("/clients/42");
    const last = await screen.findByTestId("mark-email-42-20600");
    const marks = [...document.querySelectorAll("[data-mark]")];
    expect(marks.map((mark) => mark.getAttribute("data-mark"))).toEqual([
      "order-7",
      "order-8",
      "opened-42-20600",
      "email-42-20600",
    ]);
    fireEvent.focus(last);
    expect(screen.getByTestId("tip").textContent).toContain("No email: held");
    fireEvent.keyDown(last, { key: "Home" });
    await waitFor(() => {
      expect(document.activeElement?.getAttribute("data-mark")).toBe("order-7");
    });
    expect(screen.getByTestId("tip").textContent).toContain(`Order of ${money("79.90", "USD")}`);
  });

  it("tells the same in a table, and what the score did", async () => {
    serve(table());
    show("/clients/42");
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Show as table" }));
    const events = within(screen.getByTestId("timeline-events")).getAllByRole("row");
    expect(events).toHaveLength(5);
    expect(screen.getByTestId("score-history").textContent).toContain("At risk");
    expect(screen.getByTestId("forecast").textContent).toBe(
      "At risk since 2 Nov. Lapses on 1 Feb 2027.",
    );
  });

  it("leaves out what the reader may not see, and says so", async () => {
    serve(table());
    show("/clients/42", sessionOf(["clients:read", "pii:read"]));
    await screen.findByTestId("mark-order-7");
    expect(screen.queryByTestId("mark-email-42-20600")).toBeNull();
    expect(screen.getByText(/need the permission emails:read/)).toBeTruthy();
  });
});

it("says what more silence would do", async () => {
  serve(table());
  show("/clients/42");
  expect((await screen.findByTestId("after-30-days")).textContent).toMatch(
    /30 days without an order: 38\s%, at risk/,
  );
});

describe("consent", () => {
  it("is changed by its switch, as the row was seen, with the effect beside it", async () => {
    serve(table({ "PATCH /api/clients/42": () => [200, clientRow({ consent: false })] }));
    show("/clients/42");
    const user = userEvent.setup();
    const consent = await screen.findByTestId("consent");
    expect(screen.getByText(/every email that is not sent yet is suppressed/)).toBeTruthy();
    await user.click(consent);
    await screen.findByText(/No email is written to this client/);
    expect(sent).toEqual([
      { method: "PATCH", path: "/api/clients/42", body: { consent: false } },
    ]);
  });
});

describe("erasing", () => {
  it("states the effect, and waits until the id is typed", async () => {
    serve(table({ "DELETE /api/clients/42": () => [200, {}] }));
    show("/clients/42");
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Erase" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    await dialog.findByText(/The client goes with 2 orders/);
    const act = dialog.getByRole<HTMLButtonElement>("button", { name: "Erase for good" });
    const typed = dialog.getByLabelText("Type 42 to confirm");
    fireEvent.change(typed, { target: { value: "41" } });
    expect(act.disabled).toBe(true);
    fireEvent.change(typed, { target: { value: "42" } });
    await user.click(act);
    expect(await screen.findByRole("heading", { name: "Clients", level: 1 })).toBeTruthy();
    expect(sent.map(({ method, path }) => [method, path])).toEqual([
      ["DELETE", "/api/clients/42"],
    ]);
  });

  it("stays open with the reason when it is refused", async () => {
    const problem = { title: "Precondition Failed", status: 412, detail: "it has changed" };
    serve(table({ "DELETE /api/clients/42": () => [412, problem] }));
    show("/clients/42");
    const user = userEvent.setup();
    await user.click(await screen.findByRole("button", { name: "Erase" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    const typed = dialog.getByLabelText("Type 42 to confirm");
    fireEvent.change(typed, { target: { value: "42" } });
    await user.click(dialog.getByRole("button", { name: "Erase for good" }));
    expect((await dialog.findByTestId("problem")).textContent).toContain("It has changed");
  });
});

describe("without pii:read", () => {
  const hidden = clientRow({ first_name: MASK, surname: MASK, email: MASK });
  const scopes = ALL_SCOPES.filter((scope) => scope !== "pii:read");

  it("the client goes by its id, and nothing that needs the name is offered", async () => {
    serve(table({ "GET /api/clients/42": () => [200, hidden] }));
    show("/clients/42", sessionOf(scopes));
    expect(await screen.findByRole("heading", { name: "Client 42", level: 1 })).toBeTruthy();
    expect(screen.getByTestId("masked-note").textContent).toContain("pii:read");
    for (const name of ["Edit client", "Export", "Erase"]) {
      expect(screen.queryByRole("button", { name })).toBeNull();
    }
  });
});
