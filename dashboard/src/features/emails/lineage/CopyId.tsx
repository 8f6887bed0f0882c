// An id as it is, with a button that copies it.
import { useState } from "react";
import styles from "./Lineage.module.css";

const TOLD_MS = 2_000;

export function CopyId({ name, value }: { name: string; value: string }) {
  const [told, setTold] = useState<"copied" | "failed" | null>(null);
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(value);
      setTold("copied");
    } catch {
      setTold("failed");
    }
    setTimeout(() => {
      setTold(null);
    }, TOLD_MS);
  }
  return (
    <span className={styles["id"]}>
      <code className={styles["code"]} title={value}>
        {value}
      </code>
      <button
        type="button"
        className={styles["copy"]}
        aria-label={`Copy ${name} ${value}`}
        onClick={() => void copy()}
      >
        <span role="status">
          {told === "copied" ? "Copied" : told === "failed" ? "Not allowed" : ""}
        </span>
        {told === null ? <span aria-hidden="true">Copy</span> : null}
      </button>
    </span>
  );
}
