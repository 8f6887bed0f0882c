// The audit: who did what to which resource, the latest first.
import { useState } from "react";
import { Button } from "../../shared/ui/Button.tsx";
import { Card } from "../../shared/ui/Card.tsx";
import { TextField } from "../../shared/ui/Form.tsx";
import { LoadMore } from "../../shared/ui/LoadMore.tsx";
import { Empty, Loading, Problem, Stale } from "../../shared/ui/Notice.tsx";
import { Table, type Column } from "../../shared/ui/Table.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import styles from "./Operations.module.css";
import { useAudit } from "./queries.ts";
import type { AuditRow } from "./shapes.ts";

const COLUMNS: readonly Column<AuditRow>[] = [
  { key: "at", head: "When", cell: (row) => <Time at={row.at} /> },
  { key: "actor", head: "Who", cell: (row) => row.actor },
  { key: "action", head: "Did", heads: true, cell: (row) => row.action },
  {
    key: "resource",
    head: "To",
    cell: (row) => (
      <span className={styles["text"]}>
        {row.resource}
        {row.version === null ? "" : `, version ${row.version}`}
      </span>
    ),
  },
  { key: "detail", head: "Detail", cell: (row) => detailWords(row) },
];

function detailWords({ detail, request }: AuditRow) {
  const words = Object.entries(detail).map(
    ([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return (
    <div className={styles["text"]}>
      {words.join(", ")}
      {request === null ? null : <div className={styles["mute"]}>{request}</div>}
    </div>
  );
}

interface Props {
  /** Such as "client/42"; everything without. */
  resource: string | null;
  onResource: (resource: string | null) => void;
}

export function Audit({ resource, onResource }: Props) {
  const audit = useAudit(resource);
  const rows = audit.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card title="Audit">
      <div className={styles["rows"]}>
        <Filter key={resource} resource={resource} onResource={onResource} />
        {audit.isPending ? (
          <Loading what="the audit" />
        ) : audit.data === undefined ? (
          <Problem error={audit.error} onRetry={() => void audit.refetch()} />
        ) : rows.length === 0 ? (
          <Empty title="Nothing is noted">
            <p>
              {resource === null
                ? "Each write over the API is noted here."
                : `Nobody has written to ${resource}. Its form is a kind, a slash and a number.`}
            </p>
          </Empty>
        ) : (
          <>
            <Stale query={audit} />
            <Table
              label="Audit, the latest first"
              columns={COLUMNS}
              rows={rows}
              keyOf={(row) => row.id}
              busy={audit.isPlaceholderData}
              testId="audit"
            />
            <LoadMore
              hasMore={audit.hasNextPage}
              loading={audit.isFetchingNextPage}
              error={audit.isFetchNextPageError ? audit.error : null}
              onMore={() => void audit.fetchNextPage()}
            />
          </>
        )}
      </div>
    </Card>
  );
}

function Filter({ resource, onResource }: Props) {
  const [text, setText] = useState(resource ?? "");
  return (
    <form
      className={styles["filter"]}
      aria-label="Filter the audit"
      onSubmit={(event) => {
        event.preventDefault();
        onResource(text.trim() === "" ? null : text.trim());
      }}
    >
      <TextField
        label="Resource"
        name="resource"
        placeholder="client/42"
        autoComplete="off"
        maxLength={200}
        value={text}
        onChange={({ target }) => {
          setText(target.value);
        }}
      />
      <Button type="submit">Show</Button>
      {resource === null ? null : (
        <Button
          onClick={() => {
            onResource(null);
          }}
        >
          Show all
        </Button>
      )}
    </form>
  );
}
