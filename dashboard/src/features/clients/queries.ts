// What this feature reads: clients in pages, one client, its score and its orders.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { request, withParams } from "../../api/client.ts";
import { keys, type ClientFilter } from "../../api/keys.ts";
import { ProblemError } from "../../api/problem.ts";
import type { ClientRow, OrderRow, Page, ScoreDetail } from "../../api/types.ts";
import { settleWrites, usePendingWrites } from "../../live/pendingWrites.ts";
import { withLiveDetail, withLiveScore } from "../../live/updates.ts";
import { useConnection } from "../../live/useLive.ts";

const PAGE_SIZE = 50;
/** How often to look for a score that the stream has told of, or that no stream can tell of. */
const LOOK_AGAIN_MS = 1_000;

export function useClients(filter: ClientFilter) {
  return useInfiniteQuery({
    queryKey: keys.clientList(filter),
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
  });
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
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      request<Page<OrderRow>>(
        withParams("/api/orders", { client_id: clientId, limit: PAGE_SIZE, cursor: pageParam }),
        { signal },
      ),
    getNextPageParam: (last) => last.next,
  });
}
