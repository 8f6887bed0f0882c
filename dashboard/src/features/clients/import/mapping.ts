// Pure: which column of a file holds which field, guessed from the names of the columns.
import type { Field } from "./fields.ts";

/** The place of the column of each field, from 0; null where the file has none. */
export type Mapping = Record<string, number | null>;

function plain(header: string): string {
  return header
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
}

/** Guess the mapping; a column serves one field, and the most telling name wins. */
export function guessMapping(headers: readonly string[], fields: readonly Field[]): Mapping {
  const names = headers.map(plain);
  const mapping: Mapping = Object.fromEntries(fields.map((field) => [field.name, null]));
  const taken = new Set<number>();
  const deepest = Math.max(...fields.map((field) => field.aliases.length));
  for (let rank = 0; rank < deepest; rank += 1) {
    for (const field of fields) {
      const alias = field.aliases[rank];
      if (alias === undefined || mapping[field.name] !== null) continue;
      const place = names.findIndex((name, index) => name === alias && !taken.has(index));
      if (place < 0) continue;
      mapping[field.name] = place;
      taken.add(place);
    }
  }
  return mapping;
}

/** The required fields that no column is chosen for. */
export function missingOf(mapping: Mapping, fields: readonly Field[]): Field[] {
  return fields.filter((field) => field.required && (mapping[field.name] ?? null) === null);
}
