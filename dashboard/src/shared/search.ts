// Pure: reads single values out of an address's search, where anything may stand.

/** A text; a search for "42" reaches us as a number. */
export function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
}
