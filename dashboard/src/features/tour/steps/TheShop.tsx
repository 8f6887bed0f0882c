// Step 1: how many clients there are, by what policy they are scored, and how well that ranks them.
import { useState } from "react";
import { useMay } from "../../../auth/may.tsx";
import { count, plural } from "../../../shared/format.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import { Problem } from "../../../shared/ui/Notice.tsx";
import { useStats } from "../../../shared/useStats.ts";
import { Fact, Facts, Waiting } from "../Fact.tsx";
import { usePolicyInForce, useRun, useStartRun } from "../queries.ts";
import { backtestOf, shareWords } from "../words.ts";

const STATS = "counted in Postgres: GET /api/stats";

export function TheShop() {
  const stats = useStats().data;
  const mayMeasure = useMay("policy:read", "ops:read");
  return (
    <>
      <p>
        Most clients who leave never say so. Each client here has a calibrated score: the chance of
        an order within the next days that the policy names.
      </p>
      {stats === undefined ? null : (
        <Facts>
          <Fact name="Clients" from={STATS} testId="tour-clients">
            {count(stats.clients.total)}
          </Fact>
          <Fact name="Orders" from={STATS}>
            {count(stats.orders.total)}
          </Fact>
          <Fact name="At risk today" from={STATS}>
            {count(stats.clients.by_state["at_risk"] ?? 0)}
          </Fact>
        </Facts>
      )}
      {mayMeasure ? (
        <Measured />
      ) : (
        <p>To measure how well the score ranks you need policy:read and ops:read.</p>
      )}
    </>
  );
}

function Measured() {
  const policy = usePolicyInForce();
  const start = useStartRun();
  const run = useRun(start.data?.id ?? null);
  const [key] = useState(() => crypto.randomUUID());
  const shown = run.data ?? start.data;
  const found = shown?.state === "done" ? backtestOf(shown) : null;
  const isRunning = start.isPending || shown?.state === "running";
  const horizon = policy.data?.document.horizon_days;
  const from = `run ${shown?.id ?? ""}: called ${horizon ?? "some"} days ago, seen today`;
  return (
    <>
      {policy.data === undefined ? null : (
        <p>
          In force is policy version {policy.data.version}, by {policy.data.created_by}
          {policy.data.note === "" ? "" : `: ${policy.data.note}`}. Its weights came from fitting
          (<code>score-fit</code>), which refuses weights that rank worse than recency alone. Now
          they are judged: the score goes back {horizon} days in this shop’s own history, says who
          will stay silent, and is compared with what happened.
        </p>
      )}
      {shown === undefined ? (
        <div>
          <Button
            weight="primary"
            disabled={start.isPending}
            onClick={() => {
              start.mutate({ path: "/api/what-ifs", body: { policy: {}, clients: 0 }, key });
            }}
          >
            Measure it now
          </Button>
        </div>
      ) : null}
      {start.error === null ? null : <Problem error={start.error} small />}
      {run.error === null ? null : (
        <Problem error={run.error} onRetry={() => void run.refetch()} small />
      )}
      {isRunning ? (
        <Waiting>
          Every order is read again{shown === undefined ? "" : ` (run ${shown.id}: ${shown.step})`}…
        </Waiting>
      ) : null}
      {shown?.state === "failed" ? (
        <p role="alert">The measurement failed: {shown.error ?? "no reason was given"}.</p>
      ) : null}
      {shown?.state === "done" && found === null ? (
        <p role="alert">The run ended without a test on the past.</p>
      ) : null}
      {found === null ? null : (
        <Facts>
          <Fact name="Ranking (AUC; 0.5 is chance)" from={from} testId="tour-auc">
            {found.auc === null ? "too few clients" : found.auc.toFixed(3)}
          </Fact>
          <Fact
            name="Calibration error (ECE)"
            from={`${from}, ${plural(found.scored, "client")}`}
            testId="tour-ece"
          >
            {found.calibration_error === null
              ? "too few clients"
              : found.calibration_error.toFixed(3)}
          </Fact>
          <Fact name="Called at risk, and stayed silent" from={from} testId="tour-precision">
            {shareWords(found.precision)}
          </Fact>
          <Fact name="Stayed silent of all such clients" from={from}>
            {shareWords(found.base_rate)}
          </Fact>
        </Facts>
      )}
    </>
  );
}
