// Step 3: the parts of the score, and the orders that it was made of.
import { Link } from "@tanstack/react-router";
import type { EmailRow } from "../../../api/types.ts";
import { day, percent, plural, signed } from "../../../shared/format.ts";
import { Problem } from "../../../shared/ui/Notice.tsx";
import { Fact, Facts, Waiting } from "../Fact.tsx";
import { useScoreOf } from "../queries.ts";
import { Subject } from "../Subject.tsx";

export function Why() {
  return <Subject>{(email) => <Explained email={email} />}</Subject>;
}

function Explained({ email }: { email: EmailRow }) {
  const score = useScoreOf(email.client_id);
  const told = score.data;
  const from = `GET /api/clients/${email.client_id}/score`;
  return (
    <>
      <p>
        No black box: the score is a sum of four parts, each from this client’s own orders, so anybody
        can check it.{" "}
        <Link to="/clients/$clientId" params={{ clientId: email.client_id }}>
          Open client {email.client_id}
        </Link>{" "}
        to see the orders, the curve with its future, and the evidence.
      </p>
      {score.isPending ? <Waiting>Reading the explanation…</Waiting> : null}
      {score.error === null ? null : (
        <Problem error={score.error} onRetry={() => void score.refetch()} small />
      )}
      {told === undefined ? null : (
        <Facts>
          <Fact name="Score today, and the threshold" from={from} testId="tour-score">
            {told.score === null ? "none" : percent(told.score)}
            {told.entry === null ? "" : ` at ${percent(told.entry)}`}
          </Fact>
          {told.features === null ? null : (
            <Fact name="Its evidence" from={from}>
              {plural(told.features.order_days, "order-day")}, the last on{" "}
              {day(told.features.last_day)}, usually {Math.round(told.features.usual_gap_days)} days
              apart
            </Fact>
          )}
          {told.explanation === null ? null : (
            <Fact name="Its parts" from={from} testId="tour-parts">
              base {signed(told.explanation.parts.intercept)}, frequency{" "}
              {signed(told.explanation.parts.frequency)}, spend{" "}
              {signed(told.explanation.parts.value)}, silence{" "}
              {signed(told.explanation.parts.recency)}
            </Fact>
          )}
        </Facts>
      )}
    </>
  );
}
