// Replays a client for real, and compares how it stood before with how it stands after.
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { plural } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { Fact, Facts, Waiting } from "./Fact.tsx";
import { countEmails, readScore, useRun, useStartRun } from "./queries.ts";
import styles from "./Tour.module.css";
import { changedWords, type Standing } from "./words.ts";

async function standing(clientId: number): Promise<Standing> {
  const [score, emails] = await Promise.all([readScore(clientId), countEmails(clientId)]);
  return { as_of: score.as_of, score: score.score, emails };
}

export function Replayed({ clientId }: { clientId: number }) {
  const [key] = useState(() => crypto.randomUUID());
  const before = useMutation({ mutationFn: () => standing(clientId) });
  const after = useMutation({ mutationFn: () => standing(clientId) });
  const start = useStartRun();
  const run = useRun(start.data?.id ?? null);
  const state = run.data?.state ?? start.data?.state;
  const { mutate: look } = after;
  useEffect(() => {
    if (state === "done") look();
  }, [state, look]);
  const problem = before.error ?? start.error ?? run.error ?? after.error;
  const isBusy =
    before.isPending || start.isPending || state === "running" || (state === "done" && !after.data);
  const outcome =
    before.data === undefined || after.data === undefined
      ? null
      : changedWords(before.data, after.data);
  return (
    <>
      <p>
        What if somebody sends everything again by mistake? Replay client {clientId}: all its rows go
        to the scorer once more. Merging by version makes that harmless.
      </p>
      {start.data === undefined ? (
        <div>
          <Button
            weight="primary"
            disabled={isBusy}
            onClick={() => {
              before.mutate(undefined, {
                onSuccess: () => {
                  start.mutate({ path: "/api/replays", body: { client_ids: [clientId] }, key });
                },
              });
            }}
          >
            Replay client {clientId}
          </Button>
        </div>
      ) : null}
      {problem === null ? null : <Problem error={problem} small />}
      {isBusy && problem === null ? <Waiting>The rows go through once more…</Waiting> : null}
      {state === "failed" ? (
        <p className={styles["bad"]} role="alert">
          The replay failed: {run.data?.error ?? "no reason was given"}.
        </p>
      ) : null}
      {outcome === null ? null : (
        <Facts>
          <Fact
            name="The replay"
            from={`run ${start.data?.id ?? ""}: ${plural(recordsOf(run.data?.result), "record")} sent`}
            testId="tour-replay"
          >
            <span className={outcome.isFine ? undefined : styles["bad"]}>{outcome.text}</span>
          </Fact>
        </Facts>
      )}
    </>
  );
}

function recordsOf(result: Record<string, unknown> | null | undefined): number {
  const records = result?.["records"];
  return typeof records === "number" ? records : 0;
}
