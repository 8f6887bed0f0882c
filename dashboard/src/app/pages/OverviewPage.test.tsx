// The overview: what is at stake, what was won back, and whether all flows.
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { money } from "../../shared/format.ts";
import { scoreEvent } from "../../test/examples.ts";
import { FakeEventSource } from "../../test/fakeEventSource.ts";
import { overview, overviewDay } from "../../test/overview.ts";
import { routes, serve, sessionOf, show } from "../harness.tsx";

const DAYS = [
  overviewDay({ as_of: "2026-11-20", clients_by_state: { active: 8, at_risk: 1 } }),
  overviewDay({ as_of: "2026-11-21", clients_by_state: { active: 7, at_risk: 2 } }),
  overviewDay({ as_of: "2026-11-22", clients_by_state: { active: 5, at_risk: 4 } }),
];

describe("the overview", () => {
  it("tells values with their currency, and the uplift only with enough clients behind it", async () => {
    serve(routes());
    show("/");
    const text = async (id: string): Promise<string> =>
      (await screen.findByTestId(id)).textContent.replace(/\u202f/g, " ");
    expect(await text("tile-at-risk")).toContain(money("1234.50", "USD", { compact: true }));
    expect(screen.getByTitle(money("1234.50", "USD").replace(/\s/g, " "))).toBeDefined();
    expect(await text("tile-recovered")).toContain(money("79.90", "USD", { compact: true }));
    expect(await text("tile-effect")).toContain("Too few yet");
    expect(await text("tile-effect")).toContain("460 more");
    expect(await text("hop-relay")).toBe("12 records, <1 s");
    expect(await text("dead-letters")).toContain("2 dead letters");
  });

  it("leads from each state to its emails, and to operations", async () => {
    serve(routes());
    show("/");
    const row = within(await screen.findByTestId("emails-draft"));
    expect(row.getByRole("link").getAttribute("href")).toBe("/emails?state=draft");
    expect(screen.getByRole("link", { name: "See operations" })).toBeTruthy();
  });

  it("offers no way to what one may not see", async () => {
    serve(routes());
    show("/", sessionOf(["clients:read"]));
    const row = within(await screen.findByTestId("emails-draft"));
    expect(row.queryByRole("link")).toBeNull();
    expect(screen.queryByRole("link", { name: "See operations" })).toBeNull();
  });

  it("shows each day of the chart by arrow keys, and all of them as a table", async () => {
    const now = overview(DAYS[2]);
    serve(
      routes({
        "GET /api/overview": () => [200, now],
        "GET /api/overview/history": () => [200, { days: DAYS }],
      }),
    );
    show("/");
    const slider = await screen.findByRole("slider", { name: "Day shown" });
    expect(slider.getAttribute("aria-valuetext")).toContain("At risk 4");
    fireEvent.change(slider, { target: { value: "0" } });
    expect(slider.getAttribute("aria-valuetext")).toContain("At risk 1");
    expect(screen.getByTestId("legend").textContent).toContain("20 Nov");
    await userEvent.click(screen.getByRole("button", { name: "Show as table" }));
    const table = screen.getByRole("table", { name: "Clients by state, day by day" });
    expect(within(table).getAllByRole("rowheader").map((cell) => cell.textContent)).toEqual([
      "22 Nov 2026",
      "21 Nov 2026",
      "20 Nov 2026",
    ]);
  });

  it("draws the newest day as it was counted last, as the tiles tell it", async () => {
    const now = overview({ as_of: "2026-11-22", clients_by_state: { active: 6, at_risk: 3 } });
    serve(
      routes({
        "GET /api/overview": () => [200, now],
        "GET /api/overview/history": () => [200, { days: DAYS }],
      }),
    );
    show("/");
    const slider = await screen.findByRole("slider", { name: "Day shown" });
    expect(slider.getAttribute("aria-valuetext")).toContain("At risk 3");
    fireEvent.change(slider, { target: { value: "1" } });
    expect(slider.getAttribute("aria-valuetext")).toContain("At risk 2");
  });

  it("lists live events until it is paused, and then counts them", async () => {
    serve(routes());
    show("/");
    const log = await screen.findByTestId("ticker");
    act(() => {
      FakeEventSource.newest().say("score", scoreEvent());
    });
    expect(await within(log).findByText(/Client 42 scored: active/)).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Pause" }));
    expect(log.getAttribute("aria-live")).toBe("off");
    act(() => {
      FakeEventSource.newest().say("score", scoreEvent({ client_id: 7, version: 121 }));
    });
    await userEvent.click(await screen.findByRole("button", { name: "Resume (1 event)" }));
    expect(await within(log).findByText(/Client 7 scored/)).toBeTruthy();
  });

  it("keeps its figures when they cannot be read again, and says so", async () => {
    let isAway = false;
    const away = { title: "Service Unavailable", status: 503, detail: "the books are being moved" };
    serve(routes({ "GET /api/overview": () => (isAway ? [503, away] : [200, overview()]) }));
    show("/");
    await screen.findByTestId("tile-at-risk");
    isAway = true;
    act(() => {
      FakeEventSource.newest().say("score", scoreEvent());
    });
    const problem = await screen.findByTestId("problem", {}, { timeout: 8_000 });
    expect(problem.textContent).toContain("The books are being moved");
    expect(screen.getByTestId("tile-at-risk")).toBeTruthy();
    isAway = false;
    await userEvent.click(within(problem).getByRole("button", { name: "Try again" }));
    await waitFor(() => {
      expect(screen.queryByTestId("problem")).toBeNull();
    });
  });

  it("says what comes where nothing has been counted yet, and that a hop is not known", async () => {
    const nothing = overview({
      as_of: null,
      clients_by_state: null,
      emails_by_state: null,
      effect: null,
      pipeline: { asked_at: null, hops: [], dead_letters: null, problems: ["it is being asked"] },
    });
    serve(routes({ "GET /api/overview": () => [200, nothing] }));
    show("/");
    expect(await screen.findByText("No day has been counted yet")).toBeTruthy();
    expect(screen.getByTestId("dead-letters").textContent).toContain("could not be counted");
    expect(screen.getByText("it is being asked")).toBeTruthy();
  });
});
