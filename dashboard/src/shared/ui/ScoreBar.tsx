// A score as a bar and a percentage.
import type { ClientState } from "../../api/types.ts";
import { percent } from "../format.ts";
import styles from "./ScoreBar.module.css";

interface BarProps {
  score: number;
  state: ClientState;
  /** At or below this score the client is at risk; drawn as a mark. */
  entry?: number | null;
}

export function Bar({ score, state, entry = null }: BarProps) {
  return (
    <span className={styles["track"]} aria-hidden="true">
      <span
        className={`${styles["fill"] ?? ""} ${styles[state] ?? ""}`}
        style={{ width: `${(score * 100).toFixed(1)}%` }}
      />
      {entry === null ? null : (
        <span className={styles["entry"]} style={{ left: `${(entry * 100).toFixed(1)}%` }} />
      )}
    </span>
  );
}

export function ScoreBar({ score, state }: { score: number | null; state: ClientState | null }) {
  if (score === null || state === null) {
    return (
      <span className={`${styles["number"] ?? ""} ${styles["none"] ?? ""}`} data-testid="score">
        –
      </span>
    );
  }
  return (
    <span className={styles["score"]}>
      <Bar score={score} state={state} />
      <span className={styles["number"]} data-testid="score" data-value={score}>
        {percent(score)}
      </span>
    </span>
  );
}
