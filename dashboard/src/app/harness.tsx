// Renders the whole app on a made-up API and stream, for tests.
import { createMemoryHistory } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import { forgetSent } from "../features/emails/decisions.ts";
import { forgetWrites } from "../live/pendingWrites.ts";
import { forgetScores } from "../live/scoreBook.ts";
import { clientRow, emailDetail, scoreDetail, stats } from "../test/examples.ts";
import { FakeEventSource } from "../test/fakeEventSource.ts";
import { App } from "./App.tsx";
import { createQueryClient } from "./queryClient.ts";
import { createAppRouter } from "./router.tsx";

export type Routes = Record<string, (body: unknown) => [number, unknown]>;

/** What the API answers by method and path; tests change what they are about. */
export function routes(change: Routes = {}): Routes {
  return {
    "GET /api/stats": () => [200, stats()],
    "GET /api/clients": () => [200, { items: [clientRow()], next: null }],
    "GET /api/clients/42": () => [200, clientRow()],
    "GET /api/clients/42/score": () => [200, scoreDetail()],
    "GET /api/orders": () => [200, { items: [], next: null }],
    "GET /api/emails": () => [200, { items: [emailDetail()], next: null }],
    "GET /api/emails/42-20600": () => [200, emailDetail()],
    ...change,
  };
}

/** Every request that was not a GET. */
export const sent: { method: string; path: string; body: unknown }[] = [];

export function serve(table: Routes): void {
  vi.stubGlobal("fetch", (address: string, init: RequestInit) => {
    const method = init.method ?? "GET";
    const path = address.split("?")[0] ?? "";
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : null;
    if (method !== "GET") sent.push({ method, path, body });
    const route = table[`${method} ${path}`];
    const [status, answer] = route?.(body) ?? [404, { title: "Not Found", status: 404 }];
    const type = status < 400 ? "application/json" : "application/problem+json";
    return Promise.resolve(
      new Response(JSON.stringify(answer), { status, headers: { "content-type": type } }),
    );
  });
}

export function show(path: string): void {
  const router = createAppRouter(createMemoryHistory({ initialEntries: [path] }));
  render(<App client={createQueryClient()} router={router} />);
}

beforeEach(() => {
  sent.length = 0;
  FakeEventSource.all.length = 0;
  forgetWrites();
  forgetScores();
  forgetSent();
  vi.stubGlobal("EventSource", FakeEventSource);
  vi.stubGlobal("scrollTo", () => undefined);
});

afterEach(() => {
  vi.unstubAllGlobals();
});
