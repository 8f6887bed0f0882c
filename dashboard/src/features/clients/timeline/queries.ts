// What the line of time reads; score events renew all of it, since it lies under the score's key.
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { request, withParams } from "../../../api/client.ts";
import { keys } from "../../../api/keys.ts";
import type { EmailRow, OrderRow, Page } from "../../../api/types.ts";
import type { Curve, Episode } from "./shapes.ts";
import type { Stretch } from "./windows.ts";

const PAGE_SIZE = 200;
/** More than these are not drawn: the newest are. */
const ORDERS_MAX = 1_000;

/** The score day by day; a client without a score has a curve without a number. */
export function useCurve(clientId: number, { from, to }: Stretch) {
  return useQuery({
    queryKey: [...keys.score(clientId), "curve", from, to],
    queryFn: ({ signal }) =>
      request<Curve>(withParams(`/api/clients/${clientId}/curve`, { from, to }), { signal }),
    placeholderData: keepPreviousData,
  });
}

/** The client's orders, the newest first, and whether there are more than are drawn. */
export function useAllOrders(clientId: number) {
  return useQuery({
    queryKey: [...keys.orders(clientId), "all"],
    queryFn: async ({ signal }) => {
      const orders: OrderRow[] = [];
      let cursor: string | null = null;
      do {
        const params = { client_id: clientId, limit: PAGE_SIZE, cursor };
        const page: Page<OrderRow> = await request(withParams("/api/orders", params), { signal });
        orders.push(...page.items);
        cursor = page.next;
      } while (cursor !== null && orders.length < ORDERS_MAX);
      return { orders, isCut: cursor !== null };
    },
  });
}

export function useEpisodes(clientId: number, enabled: boolean) {
  return useQuery({
    queryKey: [...keys.score(clientId), "episodes"],
    enabled,
    queryFn: ({ signal }) =>
      request<Page<Episode>>(
        withParams("/api/episodes", { client_id: clientId, sort: "-created", limit: PAGE_SIZE }),
        { signal },
      ),
  });
}

/** The client's emails; they lie among the lists of emails, which live events renew and patch. */
export function useWritten(clientId: number, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: [...keys.emailLists, "timeline", clientId],
    enabled,
    initialPageParam: null as string | null,
    queryFn: ({ signal }) =>
      request<Page<EmailRow>>(
        withParams("/api/emails", { client_id: clientId, sort: "-created", limit: PAGE_SIZE }),
        { signal },
      ),
    // Two hundred silences of one client are more than a line of time can show.
    getNextPageParam: () => null,
  });
}
