// A page whose code could not be fetched says why, and is there once the API is.
import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Suspense } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { lazyPage } from "./lazyPage.tsx";
import { createQueryClient } from "./queryClient.ts";

const reload = vi.fn();
const cause = new TypeError("Failed to fetch dynamically imported module: /assets/page.js");

function OverviewPage() {
  return <p>Here</p>;
}

/** Show a page that is not to be had in a window that was loaded so long ago. */
async function showLost(ageMs: number): Promise<QueryClient> {
  vi.spyOn(performance, "now").mockReturnValue(ageMs);
  const Page = lazyPage(() => Promise.reject(cause), "Page");
  await Page.preload?.();
  const client = createQueryClient();
  render(
    <QueryClientProvider client={client}>
      <Suspense>
        <Page />
      </Suspense>
    </QueryClientProvider>,
  );
  return client;
}

function answer(): Promise<Response> {
  return Promise.resolve(Response.json({}));
}

beforeEach(() => {
  sessionStorage.clear();
  vi.stubGlobal("location", { href: window.location.href, reload });
});

afterEach(() => {
  reload.mockReset();
  vi.unstubAllGlobals();
});

it("shows the page that was fetched", async () => {
  const Page = lazyPage(() => Promise.resolve({ OverviewPage }), "OverviewPage");
  await Page.preload?.();
  render(<Page />);
  expect(screen.getByText("Here")).toBeTruthy();
});

it("says that the API is not reached, and loads the window anew when it is on trying again", async () => {
  const ask = vi.fn(() => Promise.reject(new TypeError("Failed to fetch")));
  vi.stubGlobal("fetch", ask);
  await showLost(60_000);
  expect((await screen.findByTestId("problem")).textContent).toContain("The API cannot be reached");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByTestId("problem");
  expect(reload).not.toHaveBeenCalled();
  vi.stubGlobal("fetch", answer);
  await userEvent.click(await screen.findByRole("button", { name: "Try again" }));
  await waitFor(() => {
    expect(reload).toHaveBeenCalledTimes(1);
  });
});

it("loads the window anew by itself where the API is there again, or has newer pages", async () => {
  vi.stubGlobal("fetch", answer);
  await showLost(60_000);
  await waitFor(() => {
    expect(reload).toHaveBeenCalledTimes(1);
  });
});

it("loads even a young window anew by itself once the API that was away is back", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  const client = await showLost(500);
  expect((await screen.findByTestId("problem")).textContent).toContain("The API cannot be reached");
  vi.stubGlobal("fetch", answer);
  // What could not be read is read again when the stream is back.
  await client.refetchQueries();
  await waitFor(() => {
    expect(reload).toHaveBeenCalledTimes(1);
  });
});

it("loads a window that has just been loaded only on demand: it might go on for ever", async () => {
  vi.stubGlobal("fetch", answer);
  await showLost(500);
  expect((await screen.findByTestId("problem")).textContent).toContain("a fault in the page");
  expect(reload).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => {
    expect(reload).toHaveBeenCalledTimes(1);
  });
});
