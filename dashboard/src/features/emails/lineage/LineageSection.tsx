// Traces an email back on demand: how long it takes, what came of it, or an honest error.
import { useState } from "react";
import type { EmailRow } from "../../../api/types.ts";
import { seconds } from "../../../shared/format.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import { Problem } from "../../../shared/ui/Notice.tsx";
import { useNow } from "../../../shared/useNow.ts";
import styles from "./Lineage.module.css";
import { LineagePath } from "./LineagePath.tsx";
import { useLineage } from "./queries.ts";

/** The address of an email ends in this when its path is to be shown at once. */
export const LINEAGE_HASH = "lineage";

interface Props {
  row: EmailRow;
  /** Whether the address asks for the path. */
  isAsked: boolean;
}

export function LineageSection({ row, isAsked }: Props) {
  const [wanted, setWanted] = useState(isAsked);
  const query = useLineage(row.episode_id, wanted);
  const traced = query.data;
  return (
    <section className={styles["section"]} id={LINEAGE_HASH} aria-label="Where it came from">
      <div className={styles["head"]}>
        <h3>Where it came from</h3>
        {traced === undefined || query.isFetching ? null : (
          <Button small onClick={() => void query.refetch()}>
            Trace again
          </Button>
        )}
      </div>
      {!wanted ? (
        <div className={styles["ask"]}>
          <p>
            Follow this email back, step by step, to the rows of the orders that it came from. It
            is looked up in the topics, which can take some seconds.
          </p>
          <Button
            small
            onClick={() => {
              setWanted(true);
            }}
          >
            Trace it back
          </Button>
        </div>
      ) : query.isFetching ? (
        <Tracing />
      ) : query.error !== null ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} small />
      ) : traced === undefined ? null : (
        <>
          {traced.email.updated_at === row.updated_at ? null : (
            <p className={styles["old"]} role="status">
              The email has changed since it was traced. Trace it again to see the rest.
            </p>
          )}
          <LineagePath lineage={traced} />
        </>
      )}
    </section>
  );
}

/** Nobody knows how long it takes, so the time that it has taken is what can be told. */
function Tracing() {
  const now = useNow(250);
  const [began] = useState(() => Date.now());
  return (
    <div className={styles["ask"]} data-testid="tracing">
      <p role="status">Looking through the topics for the records of this client…</p>
      <progress className={styles["progress"]} aria-label="Tracing" />
      <p className={styles["taken"]} aria-hidden="true">
        {seconds(Math.max(0, now - began))}
      </p>
    </div>
  );
}
