// The list of emails under a filter, page after page.
import type { EmailFilter } from "../../api/keys.ts";
import type { EmailSort, EmailState } from "../../api/types.ts";
import { EMAIL_STATES } from "../../shared/states.ts";
import { LoadMore } from "../../shared/ui/LoadMore.tsx";
import { Empty, Loading, Problem } from "../../shared/ui/Notice.tsx";
import { EmailCard } from "./EmailCard.tsx";
import styles from "./EmailList.module.css";
import { useEmails } from "./queries.ts";

interface Props {
  filter: EmailFilter;
  current: string | null;
  search: { state?: EmailState; sort?: EmailSort };
}

export function EmailList({ filter, current, search }: Props) {
  const query = useEmails(filter);
  if (query.isPending) return <Loading what="emails" />;
  if (query.data === undefined) {
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  }
  const rows = query.data.pages.flatMap((page) => page.items);
  return (
    <>
      {query.isRefetchError ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} small />
      ) : null}
      {rows.length === 0 ? (
        <Empty
          title={
            filter.state === null
              ? "No emails yet"
              : `No email is in the state “${EMAIL_STATES[filter.state].name}”`
          }
        >
          <p>
            {filter.state === null
              ? "One appears when a client falls at risk."
              : "Choose another state, or all of them."}
          </p>
        </Empty>
      ) : (
        <ul
          className={styles["list"]}
          role="list"
          aria-label="Emails"
          aria-busy={query.isPlaceholderData}
        >
          {rows.map((row) => (
            <EmailCard
              key={row.episode_id}
              row={row}
              current={row.episode_id === current}
              search={search}
            />
          ))}
        </ul>
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
