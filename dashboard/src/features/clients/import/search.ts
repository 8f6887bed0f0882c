// Pure: what the address of the import says.
import type { Kind } from "./fields.ts";

export interface ImportSearch {
  kind?: "orders";
}

export function readImportSearch(search: Record<string, unknown>): ImportSearch {
  return search["kind"] === "orders" ? { kind: "orders" } : {};
}

export function kindOf(search: ImportSearch): Kind {
  return search.kind ?? "clients";
}
