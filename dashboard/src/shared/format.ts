// How numbers, days and times read on the page. Days are the shop's, times are in the viewer's zone,
// and money is in the viewer's own way of writing it.

const NARROW = "\u202f";
const integer = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
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

interface MoneyOptions {
  /** For axes and tiles alone: rounded, as in 1.2K. Elsewhere amounts are whole. */
  compact?: boolean;
  /** Whose way of writing; the viewer's without. */
  locale?: string;
}

/** The least decimal places of an amount that is in no named currency. */
const PLACES = 2;

/**
 * An amount with its currency's code, to every place that it has and at least those of the currency.
 *
 * A decimal string never goes through floating point. A number is an estimate to begin with, and is
 * rounded to the currency's places.
 */
export function money(
  amount: string | number,
  currency: string,
  { compact = false, locale }: MoneyOptions = {},
): string {
  const places = typeof amount === "string" && !compact ? placesOf(amount) : 0;
  // Formatting a string is exact; its type is narrower than what the API's document can say.
  return amountFormat(currency, places, compact, locale).format(amount as `${number}`);
}

/** How many decimal places a decimal string has, without the zeros at its end. */
function placesOf(amount: string): number {
  const [digits = "", exponent = "0"] = amount.toLowerCase().split("e");
  const places = (digits.split(".")[1] ?? "").replace(/0+$/, "").length;
  return Math.max(0, places - Number(exponent));
}

const amountFormats = new Map<string, Intl.NumberFormat>();

function amountFormat(
  currency: string,
  places: number,
  compact: boolean,
  locale: string | undefined,
): Intl.NumberFormat {
  const key = [currency, places, compact, locale].join(" ");
  const known = amountFormats.get(key);
  if (known !== undefined) return known;
  const unit: Intl.NumberFormatOptions = { style: "currency", currency, currencyDisplay: "code" };
  const own =
    new Intl.NumberFormat(locale, unit).resolvedOptions().maximumFractionDigits ?? PLACES;
  const made = new Intl.NumberFormat(locale, {
    ...unit,
    ...(compact
      ? { notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 }
      : { minimumFractionDigits: own, maximumFractionDigits: Math.max(own, places) }),
  });
  amountFormats.set(key, made);
  return made;
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
