// How numbers, days and times read on the page. Days are the shop's, times are in the viewer's zone.

const NARROW = "\u202f";
const integer = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const twoPlaces = new Intl.NumberFormat("en-GB", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const dayThisYear = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});
const dayWithYear = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const moment = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const momentWithYear = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const secondOfDay = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const momentExact = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });

export function count(value: number): string {
  return integer.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${integer.format(value)} ${value === 1 ? one : many}`;
}

/** A probability as a percentage; the very small and very large are not rounded to 0 and 100. */
export function percent(probability: number): string {
  const rounded = Math.round(probability * 100);
  if (rounded === 0 && probability > 0) return `<1${NARROW}%`;
  if (rounded === 100 && probability < 1) return `>99${NARROW}%`;
  return `${rounded}${NARROW}%`;
}

/** A signed number with two places and a true minus. */
export function signed(value: number): string {
  const text = Math.abs(value).toFixed(2);
  if (Number(text) === 0) return "0.00";
  return value < 0 ? `−${text}` : `+${text}`;
}

/** A decimal amount with its currency, without going through floating point more than to show it. */
export function money(amount: string, currency: string): string {
  return `${twoPlaces.format(Number(amount))}${NARROW}${currency}`;
}

/** A worth in the shop's own currency, which the score does not name. */
export function worth(value: number): string {
  return value < 100 ? twoPlaces.format(value) : integer.format(value);
}

/** A shop day; the year is left out when it is the reader's present business year. */
export function day(iso: string, today?: string | null): string {
  const format = today?.slice(0, 4) === iso.slice(0, 4) ? dayThisYear : dayWithYear;
  return format.format(new Date(`${iso.slice(0, 10)}T00:00:00Z`));
}

export function time(iso: string, withYear = false): string {
  return (withYear ? momentWithYear : moment).format(new Date(iso));
}

/** The time of day to the second, in the viewer's zone. */
export function clockTime(iso: string): string {
  return secondOfDay.format(new Date(iso));
}

/** A moment in full, with the zone that it is told in: the viewer's. */
export function timeExact(iso: string): string {
  return `${momentExact.format(new Date(iso))} (${momentExact.resolvedOptions().timeZone})`;
}

export function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

export function fullName(client: { first_name: string; surname: string | null }): string {
  return client.surname === null ? client.first_name : `${client.first_name} ${client.surname}`;
}
