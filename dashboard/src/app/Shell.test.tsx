// What every page has around it, for each kind of person and in each kind of trouble.
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createStore } from "../shared/store.ts";
import type { SessionState } from "../auth/session.ts";
import { FakeEventSource } from "../test/fakeEventSource.ts";
import { stats } from "../test/examples.ts";
import { routes, serve, sessionOf, show } from "./harness.tsx";

function pages(): string[] {
  const nav = within(screen.getByRole("navigation", { name: "Pages" }));
  return nav.getAllByRole("link").map((link) => link.textContent);
}

afterEach(() => {
  localStorage.clear();
  delete document.documentElement.dataset["theme"];
});

describe("the navigation", () => {
  it("marks the page in view and names it in the title", async () => {
    serve(routes());
    show("/");
    await screen.findByRole("heading", { name: "Overview" });
    expect(pages()).toEqual(["Overview", "Clients", "Emails", "Policy", "Operations"]);
    const nav = within(screen.getByRole("navigation", { name: "Pages" }));
    expect(nav.getByRole("link", { current: "page" }).textContent).toBe("Overview");
    expect(document.title).toBe("Overview · Engage");
  });

  it("does not offer pages that one may not see, and says what is missing at their address", async () => {
    serve(routes());
    show("/operations", sessionOf(["clients:read"]));
    const page = await screen.findByTestId("forbidden");
    expect(pages()).toEqual(["Overview", "Clients"]);
    expect(page.textContent).toContain("ops:read");
    expect(page.textContent).toContain("Ask whoever manages");
  });

  it("goes to a page by its keys, but not while someone types", async () => {
    serve(routes());
    show("/clients");
    const user = userEvent.setup();
    const search = await screen.findByRole("searchbox");
    await user.click(search);
    await user.keyboard("go");
    expect(screen.queryByRole("heading", { name: "Overview" })).toBeNull();
    act(() => {
      search.blur();
    });
    await user.keyboard("go");
    expect(await screen.findByRole("heading", { name: "Overview" })).toBeTruthy();
    await user.keyboard("?");
    expect(await screen.findByRole("dialog", { name: "Keyboard shortcuts" })).toBeTruthy();
  });

  it("leads on from an address where nothing is", async () => {
    serve(routes());
    show("/no-such-page");
    expect(await screen.findByRole("heading", { name: "There is no such page" })).toBeTruthy();
    expect(document.title).toBe("Not found · Engage");
  });
});

describe("the business date", () => {
  const late = { business_now: "2026-11-22T23:30:00Z", clock_rate: 0 };

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    ["is the shop's day that is served", "2026-11-23", "UTC", "23 Nov 2026"],
    ["is the reader's day before the first is served", null, "Pacific/Kiritimati", "23 Nov 2026"],
    ["is the reader's day, be it behind", null, "Pacific/Honolulu", "22 Nov 2026"],
  ])("%s", async (_, as_of, zone, shown) => {
    vi.stubEnv("TZ", zone);
    serve(routes({ "GET /api/stats": () => [200, stats({ ...late, as_of })] }));
    show("/");
    expect((await screen.findByTestId("business-date")).textContent).toBe(shown);
  });
});

describe("the account menu", () => {
  it("remembers the theme that was chosen, and forgets it for the system's", async () => {
    serve(routes());
    show("/");
    const user = userEvent.setup();
    await user.click(await screen.findByTestId("account"));
    await user.click(await screen.findByLabelText("Dark"));
    expect(document.documentElement.dataset["theme"]).toBe("dark");
    expect(localStorage.getItem("theme")).toBe("dark");
    await user.click(await screen.findByLabelText("As the system"));
    expect(document.documentElement.dataset["theme"]).toBeUndefined();
    expect(localStorage.getItem("theme")).toBeNull();
  });

  it("signs out", async () => {
    serve(routes());
    const session = sessionOf();
    show("/", session);
    const user = userEvent.setup();
    await user.click(await screen.findByTestId("account"));
    await user.click(await screen.findByText("Sign out"));
    expect(session.signOut).toHaveBeenCalledTimes(1);
  });
});

describe("those who are not signed in", () => {
  it.each([
    [{ is: "out", why: "new" }, "Sign in to see your clients", "Sign in"],
    [{ is: "out", why: "ended" }, "Your session has ended", "Sign in again"],
    [{ is: "out", why: "left" }, "You are signed out", "Sign in"],
    [{ is: "refused", detail: "access_denied" }, "The sign-in did not work", "Sign in again"],
  ] as [SessionState, string, string][])("see what to do: %o", async (state, title, button) => {
    serve(routes());
    const signIn = vi.fn(() => Promise.resolve());
    show("/clients", { ...sessionOf(), state: createStore<SessionState>(state), signIn });
    expect(await screen.findByRole("heading", { name: title })).toBeTruthy();
    expect(screen.queryByRole("navigation")).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: button }));
    expect(signIn).toHaveBeenCalledTimes(1);
  });
});

describe("the banner", () => {
  it("comes when the API is not reached for a while, and goes by itself", async () => {
    serve(routes());
    show("/");
    await screen.findByTestId("connection");
    expect(screen.queryByTestId("offline")).toBeNull();
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    act(() => {
      FakeEventSource.newest().fail();
    });
    expect((await screen.findByTestId("offline")).textContent).toContain("You are offline");
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(true);
    act(() => {
      window.dispatchEvent(new Event("online"));
    });
    act(() => {
      FakeEventSource.newest().open();
    });
    await waitFor(() => {
      expect(screen.queryByTestId("offline")).toBeNull();
    });
  });

  it("comes at once when the browser says that it is offline and the stream is not to be had", async () => {
    serve(routes());
    show("/");
    await screen.findByTestId("connection");
    act(() => {
      FakeEventSource.newest().open();
    });
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    act(() => {
      window.dispatchEvent(new Event("offline"));
    });
    expect(screen.queryByTestId("offline")).toBeNull();
    expect(FakeEventSource.all).toHaveLength(2);
    act(() => {
      FakeEventSource.newest().fail();
    });
    expect((await screen.findByTestId("offline")).textContent).toContain("You are offline");
  });
});
