// How an email came to its state: every change with its reason and actor, and the model's calls.
import type { EmailChange, ModelCall } from "../../api/types.ts";
import { EMAIL_STATES } from "../../shared/states.ts";
import { Time } from "../../shared/ui/Time.tsx";
import styles from "./History.module.css";

export function History({ changes }: { changes: EmailChange[] }) {
  return (
    <ol className={styles["history"]} role="list" data-testid="history">
      {changes.map((change, index) => (
        <li key={index} className={styles["step"]} data-state={change.to_state}>
          <span className={styles["when"]}>
            <Time at={change.at} />
          </span>
          <span>
            <span className={styles["to"]}>{EMAIL_STATES[change.to_state].name}</span>{" "}
            <span className={styles["why"]}>
              {change.reason}, by {change.actor}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}

export function Calls({ calls }: { calls: ModelCall[] }) {
  return (
    <div className={styles["frame"]}>
      <table className={styles["calls"]}>
        <thead>
          <tr>
            <th scope="col">Attempt</th>
            <th scope="col">Outcome</th>
            <th scope="col">Took</th>
            <th scope="col">Tokens in, out</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {calls.map((call, index) => (
            <tr key={index}>
              <td>{call.attempt}</td>
              <td>
                {call.outcome}
                {call.status_code === null ? "" : ` (${call.status_code})`}
              </td>
              <td>{call.latency_ms} ms</td>
              <td>
                {call.prompt_tokens ?? "–"}, {call.completion_tokens ?? "–"}
              </td>
              <td>{call.cost_usd === null ? "–" : `$${call.cost_usd}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
