// How each part of the system stands: what waits at each hop, and what would need a person.
import { count, plural } from "../../shared/format.ts";
import { Card } from "../../shared/ui/Card.tsx";
import { Loading, Problem } from "../../shared/ui/Notice.tsx";
import { Table, type Column } from "../../shared/ui/Table.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import styles from "./Operations.module.css";
import { useStatus } from "./queries.ts";
import type { StatusHop, SystemStatus } from "./shapes.ts";
import { hopWords } from "./words.ts";

const COLUMNS: readonly Column<StatusHop>[] = [
  {
    key: "hop",
    head: "Reader",
    heads: true,
    cell: (hop) => (
      <>
        {hop.hop}
        {hop.members === 0 ? <div className={styles["bad"]}>nobody reads</div> : null}
        {hop.wal_status === "unreserved" || hop.wal_status === "lost" ? (
          <div className={styles["bad"]}>slot {hop.wal_status}: changes may be lost</div>
        ) : null}
      </>
    ),
  },
  {
    key: "behind",
    head: "Behind",
    numeric: true,
    cell: (hop) => <span data-testid={`behind-${hop.hop}`}>{hopWords(hop)}</span>,
  },
];

export function StatusCard() {
  const status = useStatus();
  const told = status.data;
  return (
    <Card
      title="Pipeline"
      aside={
        told === undefined ? null : (
          <>
            asked <Time at={told.at} clock />
          </>
        )
      }
    >
      {status.isPending ? (
        <Loading what="the pipeline" rows={3} />
      ) : told === undefined ? (
        <Problem error={status.error} onRetry={() => void status.refetch()} />
      ) : (
        <div className={styles["rows"]}>
          {status.isError ? (
            <Problem error={status.error} onRetry={() => void status.refetch()} small />
          ) : null}
          {told.problems.map((problem) => (
            <p key={problem} className={styles["bad"]} role="alert">
              {problem}
            </p>
          ))}
          <Table
            label="What waits at each reader"
            columns={COLUMNS}
            rows={told.hops}
            keyOf={(hop) => `${hop.hop} ${hop.group ?? ""} ${told.hops.indexOf(hop)}`}
          />
          <Parts status={told} />
        </div>
      )}
    </Card>
  );
}

const UNKNOWN = "could not be asked";

function Parts({ status }: { status: SystemStatus }) {
  const { connector, mailer, scorer, policy, episodes } = status;
  const generations = scorer.generations;
  return (
    <dl className={styles["facts"]} data-testid="parts">
      <dt>Capture</dt>
      <dd>
        {connector === null
          ? UNKNOWN
          : (connector.failure ??
            `${connector.state.toLowerCase()}, task ${connector.task.toLowerCase()}`)}
      </dd>
      <dt>Scorer</dt>
      <dd>
        {generations === null
          ? UNKNOWN
          : generations
              .map((one) => `generation ${one.generation}: ${plural(one.members, "worker")}`)
              .join(", ")}
        {scorer.last_scored_at === null ? null : (
          <>
            , last score <Time at={scorer.last_scored_at} />
          </>
        )}
      </dd>
      <dt>Mailer</dt>
      <dd>
        {mailer === null
          ? UNKNOWN
          : mailer.paused
            ? `does not ask its model: ${Object.values(mailer.problems).join("; ")}`
            : "asks its model"}
      </dd>
      <dt>Policy</dt>
      <dd>{policy === null ? UNKNOWN : `version ${policy.version}`}</dd>
      <dt>Episodes</dt>
      <dd>{episodes === null ? UNKNOWN : count(episodes.total)}</dd>
    </dl>
  );
}
