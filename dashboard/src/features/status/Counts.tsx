// The few numbers that say how the shop stands.
import { count } from "../../shared/format.ts";
import { useStats } from "../../shared/useStats.ts";
import styles from "./Counts.module.css";

export function Counts() {
  const stats = useStats().data;
  const numbers: [string, number | undefined, string][] = [
    ["clients", stats?.clients.total, "clients"],
    ["at risk", stats?.clients.by_state["at_risk"] ?? (stats && 0), "at-risk"],
    ["orders", stats?.orders.total, "orders"],
    ["episodes", stats?.episodes.total, "episodes"],
    ["emails written", stats?.emails.total, "emails"],
    ["held", stats?.episodes.by_state["held"] ?? (stats && 0), "held"],
  ];
  return (
    <dl className={styles["counts"]} aria-label="Counts">
      {numbers.map(([name, value, id]) => (
        <div key={id} className={styles["count"]}>
          <dt>{name}</dt>
          <dd data-testid={`count-${id}`}>{value === undefined ? "–" : count(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
