// What differs between two policies, as a list of names with both values.
import type { Change } from "./document.ts";
import styles from "./ChangeList.module.css";

export function ChangeList({ changes, label }: { changes: Change[]; label: string }) {
  return (
    <ul className={styles["changes"]} role="list" aria-label={label} data-testid="policy-changes">
      {changes.map((change) => (
        <li key={change.path} className={styles["change"]}>
          <span className={styles["name"]}>{change.name}</span>
          <span>
            <del className={styles["before"]}>{change.before}</del>{" "}
            <span aria-hidden="true">→</span> <ins className={styles["after"]}>{change.after}</ins>
          </span>
        </li>
      ))}
    </ul>
  );
}
