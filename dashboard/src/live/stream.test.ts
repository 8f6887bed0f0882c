// The stream comes back by itself, says how it stands, and survives what it cannot read.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEventSource } from "../test/fakeEventSource.ts";
import { scoreEvent } from "../test/examples.ts";
import type { LiveEvent } from "./events.ts";
import { backoff, openStream, type Connection } from "./stream.ts";

function open() {
  const seen = {
    connections: [] as Connection[],
    events: [] as LiveEvent[],
    opened: [] as string[],
    unread: [] as string[],
  };
  const stream = openStream({
    url: "/api/events",
    create: (url, lastEventId) => new FakeEventSource(url, lastEventId),
    onEvent: (event) => seen.events.push(event),
    onConnection: (connection) => seen.connections.push(connection),
    onOpen: (resumed) => seen.opened.push(resumed ? "resumed" : "anew"),
    onGap: () => seen.opened.push("gap"),
    onUnreadable: (kind) => seen.unread.push(kind),
    random: () => 1,
  });
  return { seen, stream };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeEventSource.all.length = 0;
});

afterEach(() => {
  vi.useRealTimers();
});

describe("backoff", () => {
  it("doubles up to a limit, and half of it is chance", () => {
    expect([1, 2, 3].map((failures) => backoff(failures, () => 1))).toEqual([500, 1000, 2000]);
    expect(backoff(50, () => 1)).toBe(15_000);
    expect(backoff(2, () => 0)).toBe(500);
  });
});

describe("openStream", () => {
  it("is live once open, and hands on typed events", () => {
    const { seen } = open();
    FakeEventSource.newest().open();
    FakeEventSource.newest().say("score", scoreEvent());
    expect(seen.connections).toEqual(["connecting", "live"]);
    expect(seen.opened).toEqual(["anew"]);
    expect(seen.events).toEqual([{ kind: "score", data: scoreEvent() }]);
  });

  it("opens again after a failure, and asks for a catch-up then", () => {
    const { seen } = open();
    FakeEventSource.newest().open();
    const first = FakeEventSource.newest();
    first.fail();
    expect(first.isClosed).toBe(true);
    expect(seen.connections.at(-1)).toBe("reconnecting");
    vi.advanceTimersByTime(500);
    expect(FakeEventSource.all).toHaveLength(2);
    FakeEventSource.newest().open();
    expect(seen.connections.at(-1)).toBe("live");
    expect(seen.opened).toEqual(["anew", "anew"]);
  });

  it("resumes behind the last event that it was told the id of", () => {
    const { seen } = open();
    FakeEventSource.newest().open();
    FakeEventSource.newest().say("served", { as_of: "2026-11-23" }, "7-1");
    FakeEventSource.newest().say("served", { as_of: "2026-11-24" });
    FakeEventSource.newest().fail();
    vi.advanceTimersByTime(500);
    expect(FakeEventSource.all.map((each) => each.resumedBehind)).toEqual([null, "7-1"]);
    FakeEventSource.newest().open();
    expect(seen.opened).toEqual(["anew", "resumed"]);
    FakeEventSource.newest().say("reset", { reason: "gone" });
    expect(seen.opened.at(-1)).toBe("gap");
  });

  it("resumes where it stands, also when nothing was for it", () => {
    const { seen } = open();
    FakeEventSource.newest().open();
    FakeEventSource.newest().say("place", "", "7-40");
    FakeEventSource.newest().fail();
    vi.advanceTimersByTime(500);
    expect(FakeEventSource.newest().resumedBehind).toBe("7-40");
    expect(seen.events).toEqual([]);
  });

  it("calls itself offline after three failures in a row, and goes on trying", () => {
    const { seen } = open();
    for (const wait of [500, 1000, 2000]) {
      FakeEventSource.newest().fail();
      vi.advanceTimersByTime(wait);
    }
    expect(seen.connections.at(-1)).toBe("offline");
    expect(FakeEventSource.all).toHaveLength(4);
  });

  it("skips the wait when told that the network is back", () => {
    const { stream } = open();
    FakeEventSource.newest().fail();
    stream.hurry();
    expect(FakeEventSource.all).toHaveLength(2);
    vi.advanceTimersByTime(20_000);
    expect(FakeEventSource.all).toHaveLength(2);
  });

  it("opens anew when told that the network may be gone, which is no failure by itself", () => {
    const { seen, stream } = open();
    const first = FakeEventSource.newest();
    first.open();
    stream.renew();
    expect(FakeEventSource.all).toHaveLength(2);
    expect(first.isClosed).toBe(true);
    expect(seen.connections).toEqual(["connecting", "live"]);
    FakeEventSource.newest().fail();
    expect(seen.connections.at(-1)).toBe("reconnecting");
    stream.renew();
    expect(FakeEventSource.all).toHaveLength(2);
  });

  it("leaves an unreadable event out and goes on", () => {
    const { seen } = open();
    FakeEventSource.newest().say("score", "not json");
    FakeEventSource.newest().say("email", { episode_id: 7 });
    FakeEventSource.newest().say("served", { as_of: "2026-11-23" });
    expect(seen.unread).toEqual(["score", "email"]);
    expect(seen.events).toHaveLength(1);
  });

  it("stays closed once it is closed", () => {
    const { stream } = open();
    FakeEventSource.newest().fail();
    stream.close();
    vi.advanceTimersByTime(60_000);
    expect(FakeEventSource.all).toHaveLength(1);
  });
});
