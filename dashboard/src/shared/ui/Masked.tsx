// A personal field; where the API masks it, what stands there instead and why.
import styles from "./Masked.module.css";

/** What the API writes in place of a personal field that one may not read. */
export const MASK = "•••";

export function Masked({ value, empty = "–" }: { value: string | null; empty?: string }) {
  if (value === null || value === "") return <>{empty}</>;
  if (value !== MASK) return <>{value}</>;
  return (
    <span
      className={styles["masked"]}
      title="Personal data is hidden from you: it needs the permission pii:read."
      data-testid="masked"
    >
      <span aria-hidden="true">{MASK}</span>
      <span className="visuallyHidden">hidden: needs the permission pii:read</span>
    </span>
  );
}
