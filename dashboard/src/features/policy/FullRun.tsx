// The whole history judged under the policy in the fields: started on demand, followed, and told.
import { Link } from "@tanstack/react-router";
import { count, money, percent, plural } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Card } from "../../shared/ui/Card.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { rate } from "./effect.ts";
import { useRun, useStartRun, type Run, type Trial } from "./queries.ts";
import { movesOf, reportOf, type Moved, type Proportion, type Report } from "./report.ts";
import styles from "./WhatIf.module.css";

interface Props {
  /** What is tried; null while the fields hold no policy. */
  policy: Trial | null;
  cost: number | null;
  /** The run that the address names. */
  run: number | null;
  onRun: (run: number) => void;
}

export function FullRun({ policy, cost, run: id, onRun }: Props) {
  const start = useStartRun();
  const run = useRun(id);
  const shown = run.data ?? start.data;
  const isRunning = start.isPending || shown?.state === "running";
  function begin(): void {
    if (policy === null) return;
    start.mutate(
      { policy, cost, key: crypto.randomUUID() },
      {
        onSuccess: (started) => {
          onRun(started.id);
        },
      },
    );
  }
  return (
    <Card title="Over the whole history">
      <div className={styles["run"]}>
        <p>
          Reads every order again and says exactly who enters and who leaves, with a test on the
          shop’s own past. It changes nothing.
        </p>
        {start.error === null ? null : <Problem error={start.error} small />}
        {run.error === null ? null : (
          <Problem error={run.error} onRetry={() => void run.refetch()} small />
        )}
        {shown === undefined ? null : (
          <Standing run={shown} isOther={!isAbout(shown, policy, cost)} />
        )}
        <div>
          <Button small disabled={policy === null || isRunning} onClick={begin}>
            {isRunning ? "Running…" : shown === undefined ? "Run it" : "Run it again"}
          </Button>
        </div>
      </div>
    </Card>
  );
}

/** Whether a run was started with these very values; the API keeps their names in its own order. */
function isAbout(run: Run, policy: Trial | null, cost: number | null): boolean {
  const { policy: tried, cost_per_email } = run.parameters as {
    policy: Trial;
    cost_per_email: string | null;
  };
  const said = (values: Trial): string => JSON.stringify(Object.entries(values).sort());
  return policy !== null && said(policy) === said(tried) && cost === (cost_per_email === null ? null : Number(cost_per_email));
}

function Standing({ run, isOther }: { run: Run; isOther: boolean }) {
  if (run.state === "running") {
    return (
      <div data-testid="run-progress">
        <progress
          className={styles["progress"]}
          aria-label="The run"
          {...(run.total === null ? {} : { max: Math.max(1, run.total), value: run.done })}
        />
        <p role="status">
          {run.step === "" ? "Starting" : run.step}: {count(run.done)}
          {run.total === null ? "" : ` of ${count(run.total)}`}
        </p>
      </div>
    );
  }
  if (run.state === "failed") {
    return (
      <p role="alert" data-testid="run-failed">
        The run failed: {run.error ?? "no reason was given"}. Run it again; if it keeps failing,
        someone who runs the system finds it under Operations as run {run.id}.
      </p>
    );
  }
  const report = reportOf(run.result);
  if (report === null) return <p role="alert">The run ended without a result that can be read.</p>;
  return (
    <>
      {isOther ? <p role="status">This is about the values that the run was started with.</p> : null}
      <Told report={report} />
    </>
  );
}

function share({ share: value, low, high, n }: Proportion): string {
  if (value === null || low === null || high === null) return `too few to say (${count(n)})`;
  return `${percent(value)} (${percent(low)} to ${percent(high)} of ${count(n)})`;
}

function Told({ report }: { report: Report }) {
  const { entering, leaving } = movesOf(report);
  const { emails } = report;
  const cost = emails.expected_cost;
  return (
    <div className={styles["run"]} data-testid="run-result">
      <p>
        Of {plural(report.clients, "client")}, {count(report.entering)} enter and{" "}
        {count(report.leaving)} leave. About {rate(emails.expected)} emails would be written
        {cost === null ? "" : `, for ${money(cost.amount, cost.currency)}`}
        {emails.held_for_a_person === 0 ? "" : `; ${count(emails.held_for_a_person)} wait for a person`}.
      </p>
      <p>
        Test on the past, share of those called at risk who did not order:{" "}
        {share(report.present.backtest.precision)} now, {share(report.candidate.backtest.precision)}{" "}
        then.
      </p>
      <div className={styles["lists"]}>
        <Clients title="Enter" clients={entering} total={report.entering} />
        <Clients title="Leave" clients={leaving} total={report.leaving} />
      </div>
    </div>
  );
}

function Clients({ title, clients, total }: { title: string; clients: Moved[]; total: number }) {
  return (
    <section aria-label={title}>
      <h3>
        {title} ({count(total)})
      </h3>
      {clients.length === 0 ? (
        <p>{total === 0 ? "Nobody." : "None is named."}</p>
      ) : (
        <ul className={styles["clients"]} role="list">
          {clients.map((one) => (
            <li key={one.client_id} className={styles["client"]}>
              <Link to="/clients/$clientId" params={{ clientId: one.client_id }}>
                Client {one.client_id}
              </Link>
              <span>
                {one.score_before === null ? "–" : percent(one.score_before)} →{" "}
                {one.score_after === null ? "–" : percent(one.score_after)}
              </span>
            </li>
          ))}
        </ul>
      )}
      {clients.length < total && clients.length > 0 ? (
        <p>{count(total - clients.length)} more are not named.</p>
      ) : null}
    </section>
  );
}
