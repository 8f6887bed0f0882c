// What people decided about an email: who, what, what came of it, and what an edit changed.
import type { DecisionRow } from "../../api/types.ts";
import { Time } from "../../shared/ui/Time.tsx";
import styles from "./Decisions.module.css";

export function Decisions({ decisions }: { decisions: DecisionRow[] }) {
  return (
    <ol className={styles["decisions"]} role="list" data-testid="decisions">
      {decisions.map((each) => (
        <li key={each.id} className={styles["decision"]} data-outcome={each.outcome ?? "waiting"}>
          <p>
            <span className={styles["action"]}>{each.action}</span> by {each.actor},{" "}
            <Time at={each.created_at} />:{" "}
            {each.outcome === null ? "waits for the mailer" : (each.outcome_reason ?? each.outcome)}
          </p>
          {reasonIn(each) === null ? null : (
            <p className={styles["said"]} data-testid="decision-reason">
              “{reasonIn(each)}”
            </p>
          )}
          {each.difference === null ? null : (
            <pre className={styles["difference"]} aria-label="What the edit changed">
              {each.difference.split("\n").map((line, index) => (
                <span key={index} className={styles[kindOf(line)]}>
                  {`${line}\n`}
                </span>
              ))}
            </pre>
          )}
        </li>
      ))}
    </ol>
  );
}

/** What a person gave as the reason of a rejection; gone once the client is erased. */
function reasonIn({ action, payload }: DecisionRow): string | null {
  const reason: unknown = payload["reason"];
  return action === "reject" && typeof reason === "string" ? reason : null;
}

/** A line of a unified diff is taken out, put in, or neither. */
function kindOf(line: string): "removed" | "added" | "kept" {
  if (line.startsWith("-")) return "removed";
  return line.startsWith("+") ? "added" : "kept";
}
