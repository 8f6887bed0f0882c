// Pure: the business clock between two looks at the server's, and how its speed reads.

/** The business time at wall time `now`, given what the server said at wall time `heardAt` (ms). */
export function businessTime(
  businessNow: string,
  rate: number,
  heardAt: number,
  now: number,
): Date {
  return new Date(Date.parse(businessNow) + Math.max(0, now - heardAt) * rate);
}

/** The calendar date of a moment where the reader is. */
export function dateHere(moment: Date): string {
  const inTwo = (part: number): string => String(part).padStart(2, "0");
  return `${moment.getFullYear()}-${inTwo(moment.getMonth() + 1)}-${inTwo(moment.getDate())}`;
}

/** How fast the business clock runs, in words; nothing when it runs as the wall clock does. */
export function rateWords(rate: number): string | null {
  if (rate === 1) return null;
  if (rate === 0) return "clock stopped";
  const perDay = 86_400 / rate;
  if (perDay >= 90) return `clock ×${Math.round(rate)}`;
  return perDay >= 1
    ? `a day every ${Number(perDay.toFixed(1))} s`
    : `${Math.round(1 / perDay)} days a second`;
}
