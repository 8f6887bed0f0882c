// Pure: which stretch of days the line of time shows.
import { daysBetween } from "../../../shared/days.ts";

export type Range = "90d" | "year" | "all";

export const RANGES: Record<Range, string> = { "90d": "90 days", year: "1 year", all: "All" };

/** The stretch that is shown; both days belong to it. */
export interface Stretch {
  from: string;
  to: string;
}

/** The days that there is something to show of. */
export interface Extent {
  /** The first order or other event. */
  first: string;
  today: string;
}

const BACK: Record<Exclude<Range, "all">, number> = { "90d": 90, year: 365 };
const AHEAD: Record<Range, number> = { "90d": 60, year: 180, all: 180 };
/** Room before the first event, so that it does not stand on the edge. */
const BEFORE_DAYS = 14;
const DAY_MS = 86_400_000;
/** The API answers for so many days at once. */
const CURVE_DAYS_MAX = 1_100;

export function isRange(value: unknown): value is Range {
  return typeof value === "string" && Object.hasOwn(RANGES, value);
}

export function addDays(iso: string, days: number): string {
  return new Date(Date.parse(iso) + days * DAY_MS).toISOString().slice(0, 10);
}

function earlier(a: string, b: string): string {
  return a < b ? a : b;
}

/** How far back and ahead one may look at all. */
export function limitsOf(extent: Extent): Stretch {
  const start = earlier(addDays(extent.first, -BEFORE_DAYS), addDays(extent.today, -BACK["90d"]));
  return { from: start, to: addDays(extent.today, AHEAD.all) };
}

/** The stretch of a range that ends on `end`, or where the range ends by itself. */
export function stretchOf(range: Range, extent: Extent, end: string | null): Stretch {
  const limits = limitsOf(extent);
  if (range === "all") return limits;
  const length = BACK[range] + AHEAD[range];
  const natural = addDays(extent.today, AHEAD[range]);
  const earliest = earlier(addDays(limits.from, length), natural);
  const wanted = earlier(end ?? natural, limits.to);
  const to = wanted < earliest ? earliest : wanted;
  return { from: addDays(to, -length), to };
}

/** Where the right edge goes by a step of half the stretch, or null where there is nothing more. */
export function steppedEnd(
  range: Range,
  extent: Extent,
  end: string | null,
  way: -1 | 1,
): string | null {
  if (range === "all") return null;
  const now = stretchOf(range, extent, end);
  const half = Math.round(daysBetween(now.from, now.to) / 2);
  const next = stretchOf(range, extent, addDays(now.to, way * half));
  return next.to === now.to ? null : next.to;
}

/** The part of a stretch that the curve is asked for: its end, where it is too long. */
export function curveDaysOf(stretch: Stretch): Stretch {
  const earliest = addDays(stretch.to, 1 - CURVE_DAYS_MAX);
  return { from: stretch.from < earliest ? earliest : stretch.from, to: stretch.to };
}
