// What this feature reads: clients in pages, one client, its score and its orders.
import {
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type InfiniteData,
} from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { request, withParams } from "../../api/client.ts";
import { keys, type ClientFilter } from "../../api/keys.ts";
import { inPages } from "../../api/pages.ts";
import { ProblemError } from "../../api/problem.ts";
import type { ClientRow, OrderRow, Page, ScoreDetail } from "../../api/types.ts";
import { settleWrites, usePendingWrites } from "../../live/pendingWrites.ts";
import { withLiveDetail, withLiveScore } from "../../live/updates.ts";
import { useConnection } from "../../live/useLive.ts";

const PAGE_SIZE = 50;
/** How often to look for a score that the stream has told of, or that no stream can tell of. */
const LOOK_AGAIN_MS = 1_000;

/** So many loaded pages are read again at once; beyond them the reader asks for it. */
const RENEW_PAGES_MAX = 3;

type ClientPages = InfiniteData<Page<ClientRow>, string | null>;

function isShort(pages: ClientPages | undefined): boolean {
  return (pages?.pages.length ?? 0) <= RENEW_PAGES_MAX;
}

/**
 * The clients under a filter. Scores change in place as they come. The list as such is read again,
 * which may put rows elsewhere, only while `follow` says that nobody reads further down; otherwise
 * `isOutdated` tells that there is a newer one, and `renew` takes it from the top.
 */
export function useClients(filter: ClientFilter, follow: boolean) {
  const cache = useQueryClient();
  const queryKey = keys.clientList(filter);
  const query = useInfiniteQuery({
    queryKey,
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) => {
      const path = withParams("/api/clients", {
        ...filter,
        limit: PAGE_SIZE,
        cursor: pageParam,
      });
      const page = await request<Page<ClientRow>>(path, { signal });
      return { ...page, items: page.items.map(withLiveScore) };
    },
    getNextPageParam: (last) => last.next,
    placeholderData: (previous) => previous,
    enabled: ({ state }) => state.data === undefined || (follow && isShort(state.data)),
    refetchOnMount: ({ state }) => isShort(state.data),
  });
  const isOutdated = useSyncExternalStore(
    (onChange) => cache.getQueryCache().subscribe(onChange),
    () => cache.getQueryState(queryKey)?.isInvalidated === true,
  );
  const renew = (): void => {
    cache.setQueryData<ClientPages>(queryKey, (data) =>
      data === undefined
        ? data
        : { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
    );
    void query.refetch();
  };
  return { query, isOutdated: isOutdated && !query.isFetching, renew };
}

/** The rows of all pages; one that moved between two reads is shown where it was met first. */
export function rowsOf(pages: Pick<ClientPages, "pages">): ClientRow[] {
  const seen = new Set<number>();
  return pages.pages.flatMap((page) =>
    page.items.filter((row) => {
      const isNew = !seen.has(row.id);
      seen.add(row.id);
      return isNew;
    }),
  );
}

export function useClient(id: number) {
  return useQuery({
    queryKey: keys.client(id),
    queryFn: async ({ signal }) =>
      withLiveScore(await request<ClientRow>(`/api/clients/${id}`, { signal })),
  });
}

/** The client's score with its reasons; null while there is none yet. */
export function useScore(id: number) {
  const { writes } = usePendingWrites(id);
  const live = useConnection() === "live";
  return useQuery({
    queryKey: keys.score(id),
    queryFn: async ({ signal }) => {
      try {
        const detail = await request<ScoreDetail>(`/api/clients/${id}/score`, { signal });
        settleWrites(id, detail);
        return withLiveDetail(detail);
      } catch (error) {
        if (error instanceof ProblemError && error.status === 404) return null;
        throw error;
      }
    },
    refetchInterval: (query) => {
      const behind = query.state.data?.behind === true;
      return behind || (writes.length > 0 && !live) ? LOOK_AGAIN_MS : false;
    },
  });
}

export function useOrders(clientId: number) {
  return useInfiniteQuery({
    queryKey: keys.orders(clientId),
    ...inPages<OrderRow>("/api/orders", { client_id: clientId, limit: PAGE_SIZE }),
  });
}
