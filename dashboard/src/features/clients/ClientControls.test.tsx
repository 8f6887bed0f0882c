// The search above the list of clients: when what was typed is sent.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { MeContext } from "../../auth/may.tsx";
import { ClientControls } from "./ClientControls.tsx";

it("sends a search when one leaves its field, so that it calls nobody back from another page", () => {
  const change = vi.fn();
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MeContext value={{ subject: "olivia", name: "Olivia", scopes: ["pii:read"] }}>
        <ClientControls
          filter={{ search: "", state: null, sort: "-score" }}
          onChange={change}
        />
      </MeContext>
    </QueryClientProvider>,
  );
  const field = screen.getByRole("searchbox");
  fireEvent.change(field, { target: { value: "go" } });
  expect(change).not.toHaveBeenCalled();
  fireEvent.blur(field);
  expect(change).toHaveBeenCalledExactlyOnceWith({ search: "go" });
  vi.unstubAllGlobals();
});
