// The counts and the business clock, read once and shared by header and filters.
import { useQuery } from "@tanstack/react-query";
import { request } from "../api/client.ts";
import { keys } from "../api/keys.ts";
import type { Stats } from "../api/types.ts";

/** Live events renew the counts; this is for a page on which nothing happens. */
const RENEW_MS = 30_000;

export function useStats() {
  return useQuery({
    queryKey: keys.stats,
    queryFn: ({ signal }) => request<Stats>("/api/stats", { signal }),
    refetchInterval: RENEW_MS,
  });
}

/** The business day that the scores on the page belong to, as an ISO date. */
export function useToday(): string | null {
  const stats = useStats().data;
  return stats === undefined ? null : (stats.as_of ?? stats.business_now.slice(0, 10));
}
