// One connection by fetch: what it sends, what it hands on, and how it ends.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { speakFor } from "../api/credentials.ts";
import { fetchSource } from "./source.ts";

const encoder = new TextEncoder();
let asked: { url: string; headers: Headers; signal: AbortSignal }[];
let body: ReadableStreamDefaultController<Uint8Array>;

function serve(status = 200, type = "text/event-stream"): void {
  vi.stubGlobal("fetch", (url: string, init: RequestInit & { signal: AbortSignal }) => {
    asked.push({ url, headers: new Headers(init.headers), signal: init.signal });
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        body = controller;
        init.signal.addEventListener("abort", () => {
          controller.error(init.signal.reason);
        });
      },
    });
    return Promise.resolve(new Response(stream, { status, headers: { "content-type": type } }));
  });
}

function listen(url = "/api/events", lastEventId: string | null = null) {
  const heard: string[] = [];
  const source = fetchSource(url, lastEventId);
  for (const kind of ["open", "error", "place", "score", "email"]) {
    source.addEventListener(kind, (event) => {
      heard.push(
        event instanceof MessageEvent ? `${kind} ${String(event.data)} #${event.lastEventId}` : kind,
      );
    });
  }
  return { source, heard };
}

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  speakFor({ token: () => Promise.resolve("abc"), renew: () => Promise.resolve(null) });
  serve();
});

afterEach(() => {
  speakFor(null);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("sends the bearer token and the id to resume behind as headers, never in the address", async () => {
  listen("/api/events", "7-1");
  await vi.advanceTimersByTimeAsync(0);
  expect(asked[0]?.url).toBe("/api/events");
  expect(asked[0]?.headers.get("authorization")).toBe("Bearer abc");
  expect(asked[0]?.headers.get("last-event-id")).toBe("7-1");
});

it("hands on events with their ids, also when they come in pieces", async () => {
  const { heard } = listen();
  await vi.advanceTimersByTimeAsync(0);
  const bytes = encoder.encode(": hello\n\nid: 5\nevent: score\ndata: {\"a\":\"é\"}\n\n");
  for (const byte of bytes) body.enqueue(Uint8Array.of(byte));
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toEqual(["open", 'score {"a":"é"} #5']);
});

it("hands on the id of an event that says no more than where the page stands", async () => {
  const { heard } = listen();
  await vi.advanceTimersByTimeAsync(0);
  body.enqueue(encoder.encode(": ping\nevent: place\ndata: \nid: 9\n\n"));
  await vi.advanceTimersByTimeAsync(0);
  expect(heard).toEqual(["open", "place  #9"]);
});

it("tells of its end once: the server's, a refusal, or an answer that is no stream", async () => {
  const { heard } = listen();
  await vi.advanceTimersByTimeAsync(0);
  body.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(heard).toEqual(["open", "error"]);
  serve(401, "application/problem+json");
  const refused = listen();
  await vi.advanceTimersByTimeAsync(0);
  expect(refused.heard).toEqual(["error"]);
  serve(200, "text/html");
  const page = listen();
  await vi.advanceTimersByTimeAsync(0);
  expect(page.heard).toEqual(["error"]);
});

it("gives up a connection that has fallen silent, and keeps one with heartbeats", async () => {
  const { heard } = listen();
  await vi.advanceTimersByTimeAsync(30_000);
  body.enqueue(encoder.encode(": still here\n\n"));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(heard).toEqual(["open"]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(heard).toEqual(["open", "error"]);
  expect(asked[0]?.signal.aborted).toBe(true);
});

it("says nothing more once it is closed", async () => {
  const { source, heard } = listen();
  await vi.advanceTimersByTimeAsync(0);
  source.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(heard).toEqual(["open"]);
});
