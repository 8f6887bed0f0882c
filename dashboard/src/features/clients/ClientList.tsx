// The list of clients under a filter, page after page.
import type { ClientFilter } from "../../api/keys.ts";
import { LoadMore } from "../../shared/ui/LoadMore.tsx";
import { Empty, Loading, Problem } from "../../shared/ui/Notice.tsx";
import { useToday } from "../../shared/useStats.ts";
import { ClientTable } from "./ClientTable.tsx";
import { useClients } from "./queries.ts";

export function ClientList({ filter }: { filter: ClientFilter }) {
  const query = useClients(filter);
  const today = useToday();
  if (query.isPending) return <Loading what="clients" rows={8} />;
  if (query.data === undefined) {
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  }
  const rows = query.data.pages.flatMap((page) => page.items);
  const isFiltered = filter.state !== null || filter.search !== "";
  return (
    <>
      {query.isRefetchError ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} small />
      ) : null}
      {rows.length === 0 ? (
        <Empty title={isFiltered ? "No client fits" : "No clients yet"}>
          <p>
            {isFiltered
              ? "Search for less, or choose another state."
              : "Create the first one, or load a file through the API."}
          </p>
        </Empty>
      ) : (
        <ClientTable rows={rows} sort={filter.sort} busy={query.isPlaceholderData} today={today} />
      )}
      <LoadMore
        hasMore={query.hasNextPage}
        loading={query.isFetchingNextPage}
        error={query.isFetchNextPageError ? query.error : null}
        onMore={() => void query.fetchNextPage()}
      />
    </>
  );
}
