// Pure: what the address says about the list of clients, made safe to use; defaults stay out of it.
import type { ClientFilter } from "../../api/keys.ts";
import type { ClientSort, ClientState } from "../../api/types.ts";
import { textOf } from "../../shared/search.ts";
import { isClientState } from "../../shared/states.ts";

export interface ClientSearch {
  state?: ClientState;
  search?: string;
  sort?: ClientSort;
}

const SORTS: readonly unknown[] = ["id", "-id", "score", "-score"] satisfies ClientSort[];
const SEARCH_MAX = 100;

function isClientSort(value: unknown): value is ClientSort {
  return SORTS.includes(value);
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

export function clientFilterOf(search: ClientSearch): ClientFilter {
  return {
    state: search.state ?? null,
    search: search.search ?? "",
    sort: search.sort ?? "-score",
  };
}
