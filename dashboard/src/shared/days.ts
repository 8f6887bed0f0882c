// Whole days: the scorer counts them since 1970-01-01, the API writes them as dates.

const DAY_MS = 86_400_000;

/** Turn days since 1970-01-01 into an ISO date. */
export function isoOfDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Whole days from one ISO date to another; negative when `to` is earlier. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}
