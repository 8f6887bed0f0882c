// Jobs run at once, then at most every so often, and not while busy.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { throttle } from "./throttle.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it("runs at once, and gathers what is asked meanwhile into one later run", () => {
  const job = vi.fn();
  const limited = throttle(job, 2_000, () => false);
  limited.ask();
  limited.ask();
  limited.ask();
  expect(job).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(2_000);
  expect(job).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(10_000);
  expect(job).toHaveBeenCalledTimes(2);
});

it("waits while busy, and forgets nothing", () => {
  const job = vi.fn();
  let busy = true;
  const limited = throttle(job, 2_000, () => busy);
  limited.ask();
  vi.advanceTimersByTime(4_000);
  expect(job).not.toHaveBeenCalled();
  busy = false;
  vi.advanceTimersByTime(2_000);
  expect(job).toHaveBeenCalledTimes(1);
});

it("runs nothing once stopped", () => {
  const job = vi.fn();
  const limited = throttle(job, 2_000, () => false);
  limited.ask();
  limited.ask();
  limited.stop();
  vi.advanceTimersByTime(10_000);
  expect(job).toHaveBeenCalledTimes(1);
});
