// The runs that somebody started: how far they are, how they ended, and who began them.
import { useEffect, useRef } from "react";
import { Card } from "../../shared/ui/Card.tsx";
import { LoadMore } from "../../shared/ui/LoadMore.tsx";
import { Empty, Loading, Problem, Stale } from "../../shared/ui/Notice.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import styles from "./Operations.module.css";
import { useAfterRuns, useRuns } from "./queries.ts";
import type { Run } from "./shapes.ts";
import { askedWords, kindWords, leftOver, outcomeWords, progressWords } from "./words.ts";

const STATES: Record<Run["state"], string> = { running: "Running", done: "Done", failed: "Failed" };

export function Runs() {
  const runs = useRuns();
  const all = runs.data?.pages.flatMap((page) => page.items) ?? [];
  const isRunning = all.some((run) => run.state === "running");
  const wasRunning = useRef(false);
  const after = useAfterRuns();
  useEffect(() => {
    if (wasRunning.current && !isRunning) after();
    wasRunning.current = isRunning;
  });
  return (
    <Card title="Runs">
      {runs.isPending ? (
        <Loading what="runs" rows={3} />
      ) : runs.data === undefined ? (
        <Problem error={runs.error} onRetry={() => void runs.refetch()} />
      ) : all.length === 0 ? (
        <Empty title="Nothing has been run yet">
          <p>
            Begin a backfill or a replay above, or send dead letters again: each run is told of
            here.
          </p>
        </Empty>
      ) : (
        <>
          <Stale query={runs} />
          <ol className={styles["runs"]} role="list" aria-label="Runs, the latest first">
            {all.map((run) => (
              <OneRun key={run.id} run={run} />
            ))}
          </ol>
          <LoadMore
            hasMore={runs.hasNextPage}
            loading={runs.isFetchingNextPage}
            error={runs.isFetchNextPageError ? runs.error : null}
            onMore={() => void runs.fetchNextPage()}
          />
        </>
      )}
    </Card>
  );
}

function OneRun({ run }: { run: Run }) {
  const left = leftOver(run);
  return (
    <li className={styles["run"]} data-testid={`run-${run.id}`} data-state={run.state}>
      <div className={styles["runHead"]}>
        <h3>
          {kindWords(run.kind)} <span className={styles["mute"]}>{run.id}</span>
        </h3>
        <span className={styles["state"]} data-state={run.state}>
          {STATES[run.state]}
        </span>
      </div>
      <p>{askedWords(run)}</p>
      {run.state === "running" ? (
        <>
          <progress
            className={styles["progress"]}
            aria-label={`Run ${run.id}`}
            {...(run.total === null ? {} : { max: Math.max(1, run.total), value: run.done })}
          />
          <p>{progressWords(run)}</p>
        </>
      ) : (
        <p className={run.state === "failed" ? styles["bad"] : undefined}>{outcomeWords(run)}</p>
      )}
      {left.length === 0 ? null : (
        <ul role="list">
          {left.map((one) => (
            <li key={one.offset}>
              Letter {one.offset}: {one.why}
            </li>
          ))}
        </ul>
      )}
      <p className={styles["mute"]}>
        begun by {run.actor}, <Time at={run.created_at} />
        {run.finished_at === null ? null : (
          <>
            ; ended <Time at={run.finished_at} clock />
          </>
        )}
      </p>
    </li>
  );
}
