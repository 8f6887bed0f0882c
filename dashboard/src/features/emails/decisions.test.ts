// A decision is sent under one key until its answer is known.
import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, it, vi } from "vitest";
import { draft } from "../../test/emails.ts";
import type { Choice } from "./choices.ts";
import { decide, forgetSent } from "./decisions.ts";

afterEach(() => {
  forgetSent();
  vi.unstubAllGlobals();
});

it("keeps its key while the first try is in progress, so that it is decided once", async () => {
  const answers: [number, Record<string, string>][] = [
    [409, { "retry-after": "1" }],
    [201, {}],
  ];
  const keysSent: (string | null)[] = [];
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    keysSent.push(new Headers(init.headers).get("idempotency-key"));
    const [status, headers] = answers[keysSent.length - 1] ?? [500, {}];
    const body = JSON.stringify({ id: 1, title: "T", status });
    return Promise.resolve(
      new Response(body, { status, headers: { "content-type": "application/json", ...headers } }),
    );
  });
  const choice: Choice = { name: "Approve", doing: "Approving…", action: "approve", payload: {} };
  const approve = () => decide(new QueryClient(), draft("42-20600", "Ada"), choice);
  await expect(approve()).rejects.toMatchObject({ status: 409 });
  await approve();
  expect(new Set(keysSent).size).toBe(1);
});
