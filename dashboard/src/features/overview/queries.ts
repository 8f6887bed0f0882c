// Reads where the shop stands, now and day by day.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { request, withParams } from "../../api/client.ts";
import { keys } from "../../api/keys.ts";
import type { Overview, OverviewDay } from "../../api/types.ts";

/** Lags move also while no event tells of it. */
const RENEW_MS = 10_000;

export function useOverview() {
  return useQuery({
    queryKey: keys.overview,
    queryFn: ({ signal }) => request<Overview>("/api/overview", { signal }),
    refetchInterval: RENEW_MS,
  });
}

export function useHistory(days: number) {
  return useQuery({
    queryKey: keys.overviewHistory(days),
    queryFn: ({ signal }) =>
      request<{ days: OverviewDay[] }>(withParams("/api/overview/history", { days }), { signal }),
    select: ({ days: found }) => found,
    placeholderData: keepPreviousData,
  });
}
