// The page of all clients: keys, the window of rows, a list that does not move, and hidden names.
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { MASK } from "../../shared/ui/Masked.tsx";
import { clientRow } from "../../test/examples.ts";
import { FakeEventSource } from "../../test/fakeEventSource.ts";
import { ALL_SCOPES, routes, serve, sessionOf, show } from "../harness.tsx";
// The page is loaded with the file, so that no test's time pays for it.
import "./ClientsPage.tsx";

const hidden = clientRow({ first_name: MASK, surname: MASK, email: MASK });
const scopes = ALL_SCOPES.filter((scope) => scope !== "pii:read");

describe("the list", () => {
  it("goes by arrow keys, holds a window of its rows, and knows how many there are", async () => {
    const items = Array.from({ length: 200 }, (_, index) => clientRow({ id: index + 1 }));
    serve(routes({ "GET /api/clients": () => [200, { items, next: null }] }));
    show("/clients");
    const first = within(await screen.findByTestId("client-1")).getByRole("link");
    expect(screen.getByRole("table").getAttribute("aria-rowcount")).toBe("201");
    expect(screen.getAllByTestId(/^client-\d+$/).length).toBeLessThan(60);
    first.focus();
    await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowUp}");
    const second = within(screen.getByTestId("client-2")).getByRole("link");
    expect(document.activeElement).toBe(second);
    expect(second.tabIndex).toBe(0);
    expect(first.tabIndex).toBe(-1);
  });

  it("does not move under someone who reads further down, but offers the new order", async () => {
    let reads = 0;
    const list = (): [number, unknown] => {
      reads += 1;
      return [200, { items: [clientRow()], next: null }];
    };
    serve(routes({ "GET /api/clients": list }));
    show("/clients");
    await screen.findByTestId("client-42");
    vi.stubGlobal("scrollY", 2_000);
    fireEvent.scroll(window);
    const before = reads;
    act(() => {
      FakeEventSource.newest().say("served", { as_of: "2026-11-23" });
    });
    const offer = await screen.findByTestId("renew-list");
    expect(reads).toBe(before);
    fireEvent.click(offer);
    await waitFor(() => {
      expect(screen.queryByTestId("renew-list")).toBeNull();
    });
    expect(reads).toBe(before + 1);
  });

  it("does not send a search by name for whom names are hidden", async () => {
    const asked: string[] = [];
    const list = { items: [hidden], next: null };
    serve(routes({ "GET /api/clients": () => [200, list] }));
    const plain = globalThis.fetch;
    vi.stubGlobal("fetch", (address: string, init: RequestInit) => {
      asked.push(address);
      return plain(address, init);
    });
    show("/clients", sessionOf(scopes));
    const user = userEvent.setup();
    await user.type(await screen.findByRole("searchbox", { name: "Search clients by id" }), "ad");
    expect((await screen.findByRole("alert")).textContent).toContain("pii:read");
    await user.clear(screen.getByRole("searchbox"));
    await user.type(screen.getByRole("searchbox"), "42");
    await waitFor(() => {
      expect(asked.some((address) => address.includes("search=42"))).toBe(true);
    });
    expect(asked.some((address) => address.includes("search=ad"))).toBe(false);
  });
});
