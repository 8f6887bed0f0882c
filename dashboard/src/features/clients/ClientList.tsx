// The list of clients under a filter, page after page.
import { useMemo } from "react";
import type { ClientFilter } from "../../api/keys.ts";
import { count, plural } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { LoadMore } from "../../shared/ui/LoadMore.tsx";
import { Empty, Loading, Problem, Stale } from "../../shared/ui/Notice.tsx";
import { useStats, useToday } from "../../shared/useStats.ts";
import styles from "./ClientList.module.css";
import { ClientTable } from "./ClientTable.tsx";
import { rowsOf, useClients } from "./queries.ts";
import { useAtTop } from "./useAtTop.ts";

/** How many clients fit the filter, where it costs nothing to know. */
function useTotal(filter: ClientFilter, loaded: number, isAll: boolean): number | null {
  const clients = useStats().data?.clients;
  if (isAll) return loaded;
  if (clients === undefined || filter.search !== "") return null;
  const known = filter.state === null ? clients.total : (clients.by_state[filter.state] ?? 0);
  // The counts are taken now and then: a list that is longer knows better.
  return known > loaded ? known : null;
}

export function ClientList({ filter }: { filter: ClientFilter }) {
  const { query, isOutdated, renew } = useClients(filter, useAtTop());
  const today = useToday();
  const { data } = query;
  const rows = useMemo(() => (data === undefined ? [] : rowsOf(data)), [data]);
  const total = useTotal(filter, rows.length, data !== undefined && !query.hasNextPage);
  if (query.isPending) return <Loading what="clients" rows={8} />;
  if (data === undefined) {
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  }
  return (
    <>
      <Stale query={query} />
      {rows.length === 0 ? (
        <NoClients filter={filter} />
      ) : (
        <>
          <div className={styles["line"]}>
            <p role="status" data-testid="client-count">
              {total === null
                ? `The first ${count(rows.length)}; more come as you scroll`
                : plural(total, "client")}
            </p>
          </div>
          <ClientTable
            rows={rows}
            total={total}
            sort={filter.sort}
            busy={query.isPlaceholderData}
            today={today}
          />
          {isOutdated ? (
            <div className={styles["renew"]}>
              <Button
                data-testid="renew-list"
                onClick={() => {
                  window.scrollTo({ top: 0 });
                  renew();
                }}
              >
                The order has changed: show it from the top
              </Button>
            </div>
          ) : null}
        </>
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

function NoClients({ filter }: { filter: ClientFilter }) {
  const isFiltered = filter.state !== null || filter.search !== "";
  return (
    <Empty title={isFiltered ? "No client fits" : "No clients yet"}>
      <p>
        {isFiltered
          ? "Search for less, or choose another state."
          : "Create the first one, or import a CSV file."}
      </p>
    </Empty>
  );
}
