// How many emails stand in each state; each leads to those emails.
import { Link } from "@tanstack/react-router";
import { count } from "../../shared/format.ts";
import { EMAIL_STATE_ORDER } from "../../shared/states.ts";
import { Card } from "../../shared/ui/Card.tsx";
import { EmailStateBadge } from "../../shared/ui/Badge.tsx";
import styles from "./EmailsByState.module.css";

interface Props {
  byState: Record<string, number>;
  mayRead: boolean;
}

export function EmailsByState({ byState, mayRead }: Props) {
  const states = EMAIL_STATE_ORDER.filter((state) => (byState[state] ?? 0) > 0);
  const most = Math.max(1, ...states.map((state) => byState[state] ?? 0));
  return (
    <Card title="Emails by state">
      {states.length === 0 ? (
        <p className={styles["none"]}>
          No email so far: the first comes when a client falls at risk.
        </p>
      ) : (
        <ul className={styles["list"]} role="list">
          {states.map((state) => (
            <li key={state} className={styles["row"]} data-testid={`emails-${state}`}>
              {mayRead ? (
                <Link to="/emails" search={{ state }} className={styles["link"]}>
                  <EmailStateBadge state={state} />
                </Link>
              ) : (
                <EmailStateBadge state={state} />
              )}
              <svg
                className={styles["track"]}
                viewBox="0 0 100 6"
                preserveAspectRatio="none"
                aria-hidden="true"
              >
                <rect width={(100 * (byState[state] ?? 0)) / most} height="6" rx="1" />
              </svg>
              <span className={styles["number"]}>{count(byState[state] ?? 0)}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
