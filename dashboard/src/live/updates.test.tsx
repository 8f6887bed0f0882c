// What live events do to the cache.
import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keys, type ClientFilter, type EmailFilter } from "../api/keys.ts";
import { clientRow, emailDetail, scoreDetail, scoreEvent } from "../test/examples.ts";
import type { EmailPages } from "./emailRefresh.ts";
import { forgetScores } from "./scoreBook.ts";
import type { ClientPages, ScoreView } from "./scores.ts";
import { liveUpdates, withLiveScore, type LiveUpdates } from "./updates.ts";

const CLIENTS: ClientFilter = { state: null, search: "", sort: "-score" };
const EMAILS: EmailFilter = { state: null, clientId: null, sort: "-created" };

let client: QueryClient;
let updates: LiveUpdates;

beforeEach(() => {
  vi.useFakeTimers();
  forgetScores();
  client = new QueryClient();
  updates = liveUpdates(client);
});

afterEach(() => {
  updates.stop();
  client.clear();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Keep a query in use, so that invalidating it reads it again; return how often it was read. */
function watch(queryKey: readonly unknown[]): () => number {
  const read = vi.fn(() => Promise.resolve("read"));
  const observer = new QueryObserver(client, { queryKey, queryFn: read, staleTime: Infinity });
  observer.subscribe(() => undefined);
  return () => read.mock.calls.length;
}

describe("a score event", () => {
  it("patches the row where it stands, without reading the list again", async () => {
    const pages: ClientPages = {
      pages: [{ items: [clientRow({ id: 41 }), clientRow()], next: null }],
      pageParams: [null],
    };
    client.setQueryData(keys.clientList(CLIENTS), pages);
    updates.take({ kind: "score", data: scoreEvent() });
    await vi.advanceTimersByTimeAsync(150);
    const after = client.getQueryData<ClientPages>(keys.clientList(CLIENTS));
    expect(after?.pages[0]?.items.map((row) => row.score?.score)).toEqual([0.18, 0.46]);
    expect(client.getQueryState(keys.clientList(CLIENTS))?.isInvalidated).toBe(false);
  });

  it("costs one pass for a burst, and the newest of a client wins in any order", async () => {
    client.setQueryData(keys.client(42), clientRow());
    client.setQueryData(keys.score(42), scoreDetail());
    const set = vi.spyOn(client, "setQueriesData");
    updates.take({ kind: "score", data: scoreEvent({ version: 130, score: 0.5 }) });
    updates.take({ kind: "score", data: scoreEvent({ version: 125, score: 0.4 }) });
    await vi.advanceTimersByTimeAsync(150);
    expect(set).toHaveBeenCalledTimes(1);
    expect(client.getQueryData<ScoreView>(keys.score(42))?.score).toBe(0.5);
  });

  it("is put over an answer of the API that is behind it", () => {
    updates.take({ kind: "score", data: scoreEvent() });
    expect(withLiveScore(clientRow()).score?.score).toBe(0.46);
  });
});

describe("an email event", () => {
  it("reads the episode again and shows the row that the API has", async () => {
    const pages: EmailPages = {
      pages: [{ items: [emailDetail()], next: null }],
      pageParams: [null],
    };
    client.setQueryData(keys.emailList(EMAILS), pages);
    const asked: string[] = [];
    vi.stubGlobal("fetch", (path: string) => {
      asked.push(path);
      const body = JSON.stringify(emailDetail({ state: "written" }));
      return Promise.resolve(
        new Response(body, { headers: { "content-type": "application/json" } }),
      );
    });
    const data = { episode_id: "42-20600", client_id: 42, state: "pending" };
    updates.take({ kind: "email", data });
    await vi.advanceTimersByTimeAsync(150);
    expect(asked).toEqual(["/api/emails/42-20600"]);
    const after = client.getQueryData<EmailPages>(keys.emailList(EMAILS));
    expect(after?.pages[0]?.items[0]?.state).toBe("written");
  });

  it("reads nothing for an episode that is not shown", async () => {
    const fetched = vi.fn();
    vi.stubGlobal("fetch", fetched);
    const data = { episode_id: "9-1", client_id: 9, state: "held" };
    updates.take({ kind: "email", data });
    await vi.advanceTimersByTimeAsync(150);
    expect(fetched).not.toHaveBeenCalled();
  });
});

describe("a new day", () => {
  it("reads the lists again at most every two seconds, however fast the days pass", async () => {
    const reads = watch(keys.clientList(CLIENTS));
    await vi.advanceTimersByTimeAsync(0);
    const before = reads();
    for (let passed = 0; passed < 6_000; passed += 100) {
      updates.take({ kind: "served", data: { as_of: "2026-11-23" } });
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(reads() - before).toBeGreaterThanOrEqual(3);
    expect(reads() - before).toBeLessThanOrEqual(4);
  });
});

describe("a stream that goes on where it broke off", () => {
  it("makes only what could not be read be read again", async () => {
    const reads = watch(keys.stats);
    const fails = vi.fn(() => Promise.reject(new Error("away")));
    const observer = new QueryObserver(client, {
      queryKey: keys.overview,
      queryFn: fails,
      retry: false,
    });
    observer.subscribe(() => undefined);
    await vi.advanceTimersByTimeAsync(0);
    const before = reads();
    updates.mend();
    await vi.advanceTimersByTimeAsync(0);
    expect(reads()).toBe(before);
    expect(fails).toHaveBeenCalledTimes(2);
  });
});

describe("a stream that opened again", () => {
  it("makes everything on screen be read again", async () => {
    const reads = watch(keys.stats);
    await vi.advanceTimersByTimeAsync(0);
    const before = reads();
    updates.catchUp();
    await vi.advanceTimersByTimeAsync(0);
    expect(reads()).toBe(before + 1);
  });
});
