// What a page says when there is nothing to show, or nothing new: loading, empty, or a problem.
import type { ReactNode } from "react";
import { ProblemError, whatToDo } from "../../api/problem.ts";
import { Button } from "./Button.tsx";
import styles from "./Notice.module.css";

export function Loading({ what, rows = 5 }: { what: string; rows?: number }) {
  return (
    <div className={styles["skeleton"]} role="status" data-testid="loading">
      <span className="visuallyHidden">Loading {what}…</span>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} className={styles["bone"]} aria-hidden="true" />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles["notice"]} data-testid="empty">
      <p className={styles["title"]}>{title}</p>
      {children}
    </div>
  );
}

/** The most telling sentence there is: what the API says, before what HTTP calls it. */
function headlineOf(known: ProblemError | null): string {
  if (known === null) return "This part of the page failed";
  const text = known.detail ?? known.title;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

interface ProblemProps {
  error: unknown;
  onRetry?: () => void;
  small?: boolean;
}

export function Problem({ error, onRetry, small = false }: ProblemProps) {
  const known = error instanceof ProblemError ? error : null;
  const names = [styles["notice"], styles["problem"], small ? styles["small"] : ""];
  return (
    <div className={names.join(" ")} role="alert" data-testid="problem">
      <p className={styles["title"]}>{headlineOf(known)}</p>
      {known === null || known.fields.length === 0 ? null : (
        <ul className={styles["fields"]} role="list">
          {known.fields.map((each, index) => (
            <li key={index}>{each.field === null ? each.detail : `${each.field}: ${each.detail}`}</li>
          ))}
        </ul>
      )}
      <p>{whatToDo(error)}</p>
      {known === null || known.status === 0 ? null : (
        <p className={styles["code"]}>
          {known.status} {known.title}
        </p>
      )}
      {onRetry === undefined ? null : (
        <p className={styles["actions"]}>
          <Button small onClick={onRetry}>
            Try again
          </Button>
        </p>
      )}
    </div>
  );
}

interface Reread {
  isRefetchError: boolean;
  error: unknown;
  refetch: () => Promise<unknown>;
}

/** Says above what is shown that reading it anew failed: it may be old. */
export function Stale({ query }: { query: Reread }) {
  if (!query.isRefetchError) return null;
  return <Problem error={query.error} onRetry={() => void query.refetch()} small />;
}
