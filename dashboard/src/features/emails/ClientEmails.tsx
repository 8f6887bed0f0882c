// The emails of one client, with their texts.
import { day } from "../../shared/format.ts";
import { Card } from "../../shared/ui/Card.tsx";
import { LoadMore } from "../../shared/ui/LoadMore.tsx";
import { Empty, Loading, Problem } from "../../shared/ui/Notice.tsx";
import { useToday } from "../../shared/useStats.ts";
import styles from "./ClientEmails.module.css";
import { EmailCard } from "./EmailCard.tsx";
import { useEmails } from "./queries.ts";

export function ClientEmails({ clientId }: { clientId: number }) {
  const query = useEmails({ state: null, clientId, sort: "-created" });
  const today = useToday();
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card title="Emails">
      {query.isPending ? (
        <Loading what="emails" rows={2} />
      ) : query.data === undefined ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} small />
      ) : rows.length === 0 ? (
        <Empty title="No email so far">
          <p>One is written when this client falls at risk.</p>
        </Empty>
      ) : (
        <div className={styles["list"]}>
          <ul role="list" aria-label="Emails">
            {rows.map((row) => (
              <EmailCard
                key={row.episode_id}
                row={row}
                title={`Fell at risk on ${day(row.crossing_day, today)}`}
                body
              />
            ))}
          </ul>
          <LoadMore
            hasMore={query.hasNextPage}
            loading={query.isFetchingNextPage}
            error={query.isFetchNextPageError ? query.error : null}
            onMore={() => void query.fetchNextPage()}
          />
        </div>
      )}
    </Card>
  );
}
