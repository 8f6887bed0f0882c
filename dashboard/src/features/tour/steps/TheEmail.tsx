// Step 4: an email, what it was checked for, where each word of it comes from, and what it cost.
import { Link } from "@tanstack/react-router";
import type { EmailRow } from "../../../api/types.ts";
import { money, plural } from "../../../shared/format.ts";
import { Problem } from "../../../shared/ui/Notice.tsx";
import { Fact, Facts, Waiting } from "../Fact.tsx";
import { COSTED, useDetails, useLineageOf } from "../queries.ts";
import { Subject } from "../Subject.tsx";
import { costOf } from "../words.ts";

/** A mean is told to millionths: one call costs less than a cent. */
const COST_PLACES = 6;

export function TheEmail() {
  return <Subject>{(email, all) => <Grounded email={email} all={all} />}</Subject>;
}

function Grounded({ email, all }: { email: EmailRow; all: readonly EmailRow[] }) {
  const lineage = useLineageOf(email.episode_id);
  const told = lineage.data;
  const from = "GET /api/emails/…/lineage";
  return (
    <>
      <p>
        The model gets facts, not a free hand: a text that names anything else does not pass.{" "}
        <Link to="/emails/$episodeId" params={{ episodeId: email.episode_id }}>
          Open the email
        </Link>{" "}
        to read it, and follow its path back to the rows in Postgres.
      </p>
      {lineage.isPending ? <Waiting>Following the email back to its rows…</Waiting> : null}
      {lineage.error === null ? null : (
        <Problem error={lineage.error} onRetry={() => void lineage.refetch()} small />
      )}
      {told === undefined ? null : (
        <Facts>
          <Fact name="Checks passed" from={from} testId="tour-checks">
            {told.checks.passed.length === 0 ? "none is noted" : told.checks.passed.join(", ")}
          </Fact>
          <Fact name="Texts refused before" from={from}>
            {told.checks.broken.length}
          </Fact>
          <Fact name="Goes back to" from={from} testId="tour-lineage">
            {plural(told.evidence.length, "order-day")},{" "}
            {plural(
              told.evidence.flatMap((one) => one.orders).filter((one) => one.event !== null).length,
              "record",
            )}{" "}
            found in Kafka
          </Fact>
        </Facts>
      )}
      <Cost all={all} />
    </>
  );
}

function Cost({ all }: { all: readonly EmailRow[] }) {
  const details = useDetails(all.slice(0, COSTED).map((one) => one.episode_id));
  const read = details.flatMap(({ data }) => (data === undefined ? [] : [data]));
  if (details.some(({ isPending }) => isPending)) return null;
  const cost = costOf(read);
  const isSandbox = read.some(({ calls }) => calls.some((call) => call.sandbox));
  return (
    <Facts>
      <Fact
        name="Cost of an email"
        from={
          cost === null
            ? "no model call tells its cost"
            : `mean of the newest ${plural(cost.emails, "email")}, all tries${isSandbox ? "; the sandbox model’s own price per token" : ""}`
        }
        testId="tour-cost"
      >
        {cost === null ? "not told" : money(cost.each.toFixed(COST_PLACES), cost.currency)}
      </Fact>
    </Facts>
  );
}
