// Pure: what the address says about filters, made safe to use; defaults stay out of the address.
import type { ClientFilter, EmailFilter } from "../api/keys.ts";
import type { ClientSort, ClientState, EmailSort, EmailState } from "../api/types.ts";
import { isClientState, isEmailState } from "../shared/states.ts";

export interface ClientSearch {
  state?: ClientState;
  search?: string;
  sort?: ClientSort;
}

export interface EmailSearch {
  state?: EmailState;
  sort?: EmailSort;
}

const CLIENT_SORTS: readonly unknown[] = ["id", "-id", "score", "-score"] satisfies ClientSort[];
const EMAIL_SORTS: readonly unknown[] = ["-value", "-created"] satisfies EmailSort[];
const SEARCH_MAX = 100;

function isClientSort(value: unknown): value is ClientSort {
  return CLIENT_SORTS.includes(value);
}

function isEmailSort(value: unknown): value is EmailSort {
  return EMAIL_SORTS.includes(value);
}

/** A search for "42" reaches us as a number. */
function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
}

export function readClientSearch(search: Record<string, unknown>): ClientSearch {
  const { state, sort } = search;
  const text = textOf(search["search"]).slice(0, SEARCH_MAX);
  return {
    ...(isClientState(state) ? { state } : {}),
    ...(text === "" ? {} : { search: text }),
    ...(isClientSort(sort) && sort !== "-score" ? { sort } : {}),
  };
}

export function readEmailSearch(search: Record<string, unknown>): EmailSearch {
  const { state, sort } = search;
  return {
    ...(isEmailState(state) ? { state } : {}),
    ...(isEmailSort(sort) && sort !== "-created" ? { sort } : {}),
  };
}

export function clientFilterOf(search: ClientSearch): ClientFilter {
  return {
    state: search.state ?? null,
    search: search.search ?? "",
    sort: search.sort ?? "-score",
  };
}

export function emailFilterOf(search: EmailSearch): EmailFilter {
  return { state: search.state ?? null, clientId: null, sort: search.sort ?? "-created" };
}
