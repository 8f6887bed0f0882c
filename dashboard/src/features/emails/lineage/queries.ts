// Reads an email's lineage: the API looks through a partition of two topics for it, which takes time.
import { useQuery } from "@tanstack/react-query";
import { request } from "../../../api/client.ts";
import { emailPath } from "../../../live/emailRefresh.ts";
import type { Lineage } from "./shapes.ts";

/** The API gives up after 20 s of looking, and says so itself. */
const TIMEOUT_MS = 30_000;

export function useLineage(episodeId: string, enabled: boolean) {
  return useQuery<Lineage>({
    queryKey: ["emails", "lineage", episodeId],
    // Each look costs the API a pass over a partition: only a person asks for another, and not
    // the stream when it opens again and has everything on the page taken anew.
    enabled: (query) => enabled && query.state.status === "pending",
    staleTime: Infinity,
    retry: false,
    queryFn: ({ signal }) =>
      request<Lineage>(`${emailPath(episodeId)}/lineage`, { signal, timeoutMs: TIMEOUT_MS }),
  });
}
