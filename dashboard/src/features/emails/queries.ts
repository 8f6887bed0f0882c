// What this feature reads: emails in pages and one email with its history.
import {
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type QueryClient,
} from "@tanstack/react-query";
import { request } from "../../api/client.ts";
import { keys, type EmailFilter } from "../../api/keys.ts";
import { inPages } from "../../api/pages.ts";
import type { EmailDetail, EmailRow } from "../../api/types.ts";
import { emailPath, patchEmailPages, type EmailPages } from "../../live/emailRefresh.ts";

const PAGE_SIZE = 50;
/** How often to look for the outcome of a decision: a refused one changes no row, so none tells. */
const OUTCOME_MS = 1_000;

export function useEmails(filter: EmailFilter) {
  return useInfiniteQuery({
    queryKey: keys.emailList(filter),
    ...inPages<EmailRow>("/api/emails", {
      state: filter.state,
      client_id: filter.clientId,
      sort: filter.sort,
      limit: PAGE_SIZE,
    }),
    placeholderData: (previous) => previous,
  });
}

async function readEmail(
  cache: QueryClient,
  episodeId: string,
  signal: AbortSignal,
): Promise<EmailDetail> {
  const row = await request<EmailDetail>(emailPath(episodeId), { signal });
  cache.setQueriesData<EmailPages>({ queryKey: keys.emailLists }, (pages) =>
    pages === undefined ? pages : patchEmailPages(pages, row),
  );
  return row;
}

export function hasOpenDecision(email: EmailDetail | undefined): boolean {
  return email?.decisions.some((decision) => decision.outcome === null) === true;
}

/** One email; while one of its decisions has no outcome yet, it is looked at again and again. */
export function useEmail(episodeId: string, enabled = true) {
  const cache = useQueryClient();
  return useQuery({
    queryKey: keys.email(episodeId),
    enabled,
    queryFn: ({ signal }) => readEmail(cache, episodeId, signal),
    refetchInterval: (query) => (hasOpenDecision(query.state.data) ? OUTCOME_MS : false),
  });
}
