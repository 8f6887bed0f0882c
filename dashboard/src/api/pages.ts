// Lists that the API hands out page by page.
import { request, withParams, type Params } from "./client.ts";
import type { Page } from "./types.ts";

interface Asked {
  pageParam: string | null;
  signal: AbortSignal;
}

/** What an infinite query needs to know to read a list from its first page on. */
export function inPages<Row>(path: string, params: Params) {
  return {
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }: Asked) =>
      request<Page<Row>>(withParams(path, { ...params, cursor: pageParam }), { signal }),
    getNextPageParam: (last: Page<Row>) => last.next,
  };
}
