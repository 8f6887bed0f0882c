// An order that is placed here, and the measured time until its score is back.
import { useMay } from "../../auth/may.tsx";
import { count, percent } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { Fact, Facts, Waiting } from "./Fact.tsx";
import { useTimedOrder } from "./useTimedOrder.ts";

interface Props {
  clientId: number;
  amount: string;
  /** The score before, where it is known. */
  before: number | null;
}

export function TimedOrder({ clientId, amount, before }: Props) {
  const { state, place } = useTimedOrder(clientId);
  const mayWrite = useMay("clients:write");
  if (!mayWrite) return <p>To place an order you need the permission clients:write.</p>;
  const isBusy = state.is === "placing" || state.is === "waiting";
  return (
    <>
      {state.is === "done" ? null : (
        <div>
          <Button
            weight="primary"
            disabled={isBusy}
            onClick={() => void place({ amount, category: "jazz" })}
          >
            Place an order of client {clientId}
          </Button>
        </div>
      )}
      {state.is === "failed" ? <Problem error={state.error} small /> : null}
      {isBusy ? (
        <Waiting>
          {state.is === "waiting" && state.late
            ? "It takes longer than 30 s: see Operations for what waits."
            : "The row goes from Postgres over Debezium and Kafka to the scorer and back…"}
        </Waiting>
      ) : null}
      {state.is === "done" ? (
        <Facts>
          <Fact
            name="Row to score"
            from="measured here: from the API’s answer to the live event"
            testId="tour-row-to-score"
          >
            {count(state.timed.tookMs)} ms
          </Fact>
          <Fact name="Score" from="the event that came" testId="tour-score-after">
            {before === null ? "" : `${percent(before)} → `}
            {state.timed.score.score === null ? "none" : percent(state.timed.score.score)}
          </Fact>
        </Facts>
      ) : null}
    </>
  );
}
