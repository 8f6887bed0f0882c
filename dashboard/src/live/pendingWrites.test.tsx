// When one's own write counts as scored.
import { act, cleanup, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { scoreEvent } from "../test/examples.ts";
import {
  forgetWrites,
  isMerged,
  noteWrite,
  settleWrites,
  usePendingWrites,
  type Write,
} from "./pendingWrites.ts";
import { forgetScores, noteScore } from "./scoreBook.ts";

const WRITE: Write = { clientId: 42, entity: "order/7", version: 120, since: 0 };

function full(lowest: number): { merged: [string, number][] } {
  return {
    merged: Array.from({ length: 32 }, (_, index) => [`order/${index + 100}`, lowest + index]),
  };
}

beforeEach(() => {
  cleanup();
  forgetWrites();
  forgetScores();
});

describe("isMerged", () => {
  it("is so with the write's own version or a newer one of the same row", () => {
    expect(isMerged(WRITE, { merged: [["order/7", 120]] })).toBe(true);
    expect(isMerged(WRITE, { merged: [["order/7", 125]] })).toBe(true);
  });

  it("is so when the list names the row several times, oldest first", () => {
    const merged: [string, number][] = [
      ["order/7", 119],
      ["order/7", 120],
    ];
    expect(isMerged(WRITE, { merged })).toBe(true);
  });

  it("is not so with an older version of the row, however new the other rows are", () => {
    expect(isMerged(WRITE, { merged: [["order/7", 119], ["order/8", 500]] })).toBe(false);
    expect(isMerged(WRITE, { merged: [["order/8", 500]] })).toBe(false);
  });

  it("is so when a full list of newer pairs has pushed it out, but not a moment sooner", () => {
    expect(isMerged(WRITE, full(121))).toBe(true);
    expect(isMerged(WRITE, full(119))).toBe(false);
    expect(isMerged(WRITE, { merged: full(121).merged.slice(1) })).toBe(false);
  });
});

describe("pending writes", () => {
  it("wait until a score of the same client has merged them", () => {
    const { result } = renderHook(() => usePendingWrites(42));
    act(() => {
      noteWrite(42, "order/7", 120);
      noteWrite(43, "order/9", 121);
    });
    expect(result.current.writes.map((write) => write.entity)).toEqual(["order/7"]);
    act(() => {
      settleWrites(43, { merged: [["order/7", 120]] });
    });
    expect(result.current.writes).toHaveLength(1);
    act(() => {
      settleWrites(42, { merged: [["order/7", 120]] });
    });
    expect(result.current.writes).toHaveLength(0);
    expect(result.current.settled?.clientId).toBe(42);
  });

  it("do not wait when the score came before the answer to the write", () => {
    noteScore(scoreEvent());
    const { result } = renderHook(() => usePendingWrites(42));
    act(() => {
      noteWrite(42, "order/7", 120);
    });
    expect(result.current.writes).toHaveLength(0);
    expect(result.current.settled).not.toBeNull();
  });

  it("replace an earlier write of the same row", () => {
    const { result } = renderHook(() => usePendingWrites(42));
    act(() => {
      noteWrite(42, "order/7", 120);
      noteWrite(42, "order/7", 130);
    });
    expect(result.current.writes.map((write) => write.version)).toEqual([130]);
  });
});
