// What is created under which key, however often it has to be sent.
import { afterEach, describe, expect, it, vi } from "vitest";
import { createOnce } from "./once.ts";

const keysSent: (string | null)[] = [];

function answerWith(...answers: [status: number, headers?: Record<string, string>][]): void {
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    keysSent.push(new Headers(init.headers).get("idempotency-key"));
    const [status, headers] = answers[keysSent.length - 1] ?? [500];
    return Promise.resolve(
      new Response(JSON.stringify({ title: "T", status }), {
        status,
        headers: { "content-type": "application/json", ...headers },
      }),
    );
  });
}

afterEach(() => {
  keysSent.length = 0;
  vi.unstubAllGlobals();
});

describe("createOnce", () => {
  it("keeps its key while the first try is in progress, so that the next gets its answer", async () => {
    answerWith([503], [409, { "retry-after": "1" }], [201]);
    const create = () => createOnce("/api/clients", { first_name: "Ada" });
    await expect(create()).rejects.toMatchObject({ status: 503 });
    await expect(create()).rejects.toMatchObject({ status: 409 });
    await create();
    expect(new Set(keysSent).size).toBe(1);
  });

  it("takes a new key after a conflict that waiting does not help", async () => {
    answerWith([409], [201]);
    const create = () => createOnce("/api/clients", { first_name: "Bea" });
    await expect(create()).rejects.toMatchObject({ status: 409 });
    await create();
    expect(new Set(keysSent).size).toBe(2);
  });
});
