// Pure: what the address says about the list of emails, made safe to use; defaults stay out of it.
import type { EmailFilter } from "../../api/keys.ts";
import type { EmailSort, EmailState } from "../../api/types.ts";
import { isEmailState } from "../../shared/states.ts";

export interface EmailSearch {
  state?: EmailState;
  client?: number;
  sort?: EmailSort;
}

const FIRST: EmailSort = "-value";
const SORTS: readonly unknown[] = ["-value", "-created"] satisfies EmailSort[];

function isEmailSort(value: unknown): value is EmailSort {
  return SORTS.includes(value);
}

/** A client's id: a whole number that stays exact; null for anything else. */
export function clientIdOf(value: unknown): number | null {
  const text = typeof value === "string" ? value.trim() : value;
  if (text === "" || (typeof text !== "string" && typeof text !== "number")) return null;
  const id = Number(text);
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}

export function readEmailSearch(search: Record<string, unknown>): EmailSearch {
  const { state, sort } = search;
  const client = clientIdOf(search["client"]);
  return {
    ...(isEmailState(state) ? { state } : {}),
    ...(client === null ? {} : { client }),
    ...(isEmailSort(sort) && sort !== FIRST ? { sort } : {}),
  };
}

export function emailFilterOf(search: EmailSearch): EmailFilter {
  return {
    state: search.state ?? null,
    clientId: search.client ?? null,
    sort: search.sort ?? FIRST,
  };
}

export function emailSearchOf(filter: EmailFilter): EmailSearch {
  return readEmailSearch({ state: filter.state, client: filter.clientId, sort: filter.sort });
}
