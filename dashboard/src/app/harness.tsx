// Renders the whole app on a made-up API and stream, for tests.
import { createMemoryHistory } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import type { Scope } from "../auth/may.tsx";
import type { Session, SessionState } from "../auth/session.ts";
import { forgetSent } from "../features/emails/decisions.ts";
import { forgetWrites } from "../live/pendingWrites.ts";
import { forgetScores } from "../live/scoreBook.ts";
import { createStore } from "../shared/store.ts";
import { clientRow, emailDetail, scoreDetail, stats } from "../test/examples.ts";
import { overview, overviewDay } from "../test/overview.ts";
import { FakeEventSource } from "../test/fakeEventSource.ts";
import { App } from "./App.tsx";
import { createQueryClient } from "./queryClient.ts";
import { createAppRouter, type AppRouter } from "./router.tsx";

export type Routes = Record<string, (body: unknown, headers: Headers) => [number, unknown]>;

/** What the API answers by method and path; tests change what they are about. */
export function routes(change: Routes = {}): Routes {
  return {
    "GET /api/stats": () => [200, stats()],
    "GET /api/overview": () => [200, overview()],
    "GET /api/overview/history": () => [200, { days: [overviewDay()] }],
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
    const headers = new Headers(init.headers);
    const isJson = headers.get("content-type") === "application/json";
    const body: unknown =
      typeof init.body !== "string" ? null : isJson ? JSON.parse(init.body) : init.body;
    if (method !== "GET") sent.push({ method, path, body });
    // A route may name the search too, where it matters.
    const route = table[`${method} ${address}`] ?? table[`${method} ${path}`];
    const [status, answer] = route?.(body, headers) ?? [404, { title: "Not Found", status: 404 }];
    const type = status < 400 ? "application/json" : "application/problem+json";
    // A text is NDJSON, as it goes over the wire.
    const text = typeof answer === "string" ? answer : JSON.stringify(answer);
    return Promise.resolve(new Response(text, { status, headers: { "content-type": type } }));
  });
}

export const ALL_SCOPES: readonly Scope[] = [
  "clients:read",
  "clients:write",
  "emails:read",
  "emails:approve",
  "policy:read",
  "policy:write",
  "ops:read",
  "ops:replay",
  "pii:read",
];

/** A session of someone who is signed in already. */
export function sessionOf(scopes: readonly Scope[] = ALL_SCOPES): Session {
  const me = { subject: "olivia", name: "Olivia", scopes };
  return {
    state: createStore<SessionState>({ is: "in", me }),
    start: () => Promise.resolve(),
    signIn: () => Promise.resolve(),
    signOut: vi.fn(() => Promise.resolve()),
  };
}

/** Show a page to someone with these permissions; by default, with all. */
export function show(path: string, session: Session = sessionOf()): AppRouter {
  const router = createAppRouter(createMemoryHistory({ initialEntries: [path] }));
  render(
    <App
      client={createQueryClient()}
      session={session}
      createRouter={() => router}
      createSource={(url, lastEventId) => new FakeEventSource(url, lastEventId)}
    />,
  );
  return router;
}

beforeEach(() => {
  sent.length = 0;
  FakeEventSource.all.length = 0;
  forgetWrites();
  forgetScores();
  forgetSent();
  vi.stubGlobal("scrollTo", () => undefined);
});

afterEach(() => {
  vi.unstubAllGlobals();
});
