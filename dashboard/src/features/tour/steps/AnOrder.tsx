// Step 5: the client orders, the episode is recovered; and whether writing made the difference.
import { Link } from "@tanstack/react-router";
import type { EmailRow } from "../../../api/types.ts";
import { money, plural } from "../../../shared/format.ts";
import { Problem } from "../../../shared/ui/Notice.tsx";
import { Fact, Facts, Waiting } from "../Fact.tsx";
import { useFigures, useUntil } from "../queries.ts";
import { Subject } from "../Subject.tsx";
import { TimedOrder } from "../TimedOrder.tsx";
import { effectWords } from "../words.ts";

export function AnOrder() {
  return (
    <>
      <Subject>{(email) => <Recovered email={email} />}</Subject>
      <Effect />
    </>
  );
}

function Recovered({ email }: { email: EmailRow }) {
  const now = useUntil(email.episode_id, "recovered");
  const isBack = now.data?.state === "recovered";
  return (
    <>
      <p>
        <Link to="/clients/$clientId" params={{ clientId: email.client_id }}>
          Client {email.client_id}
        </Link>{" "}
        was written to. When an order comes, the episode closes by itself, and an email that still
        waits is not sent.
      </p>
      {now.error === null ? null : (
        <Problem error={now.error} onRetry={() => void now.refetch()} small />
      )}
      <TimedOrder clientId={email.client_id} amount="25.00" before={null} />
      {now.data === undefined ? null : isBack ? (
        <Facts>
          <Fact
            name="The episode"
            from={`GET /api/emails/${email.episode_id}`}
            testId="tour-recovered"
          >
            recovered
          </Fact>
        </Facts>
      ) : (
        <Waiting>The episode is {now.data.state}; it waits for an order.</Waiting>
      )}
    </>
  );
}

function Effect() {
  const figures = useFigures();
  const told = figures.data;
  if (figures.error !== null) {
    return <Problem error={figures.error} onRetry={() => void figures.refetch()} small />;
  }
  if (told === undefined) return <Waiting>Reading the effect…</Waiting>;
  const { effect, recovered_value: value, recovered_clients: clients } = told;
  return (
    <>
      <p>
        Did writing bring them back, or would they have come anyway? A share of those at risk, drawn
        by chance, is never written to. Only the difference between both counts, and it is not shown
        before it can be trusted.
      </p>
      <Facts>
        {effect === null ? null : (
          <>
            <Fact name="Effect of writing" from="GET /api/effect" testId="tour-effect">
              {effectWords(effect)}
            </Fact>
            <Fact name="Held out, not held out" from="clients whose window is over: GET /api/effect">
              {effect.held_out} and {effect.not_held_out}; {effect.waiting} still wait
            </Fact>
          </>
        )}
        {value === null || clients === null ? null : (
          <Fact name="Ordered after an email" from="GET /api/overview; not yet the effect">
            {plural(clients, "client")}, {money(value.amount, value.currency)}
          </Fact>
        )}
      </Facts>
    </>
  );
}
