// The pages for an address that leads nowhere, a page that failed, and one that is not allowed.
import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { askFor } from "../../api/problem.ts";
import type { Scope } from "../../auth/may.tsx";
import { Empty, Problem } from "../../shared/ui/Notice.tsx";
import styles from "./pages.module.css";

export function NotFoundPage() {
  return (
    <>
      <h1 className={styles["titleAlone"]}>There is no such page</h1>
      <Empty title="Nothing is at this address">
        <p>
          It may be mistyped, or what it led to is gone. Go to the <Link to="/">overview</Link> or{" "}
          <Link to="/clients">search the clients</Link>.
        </p>
      </Empty>
    </>
  );
}

/** What is left of a page that failed; the navigation around it still works. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  return (
    <>
      <h1 className={styles["titleAlone"]}>This page failed</h1>
      <Problem error={error} onRetry={reset} />
    </>
  );
}

export function ForbiddenPage({ title, scope }: { title: string; scope: Scope }) {
  return (
    <div data-testid="forbidden">
      <h1 className={styles["titleAlone"]}>{title}</h1>
      <Empty title="You may not see this page">
        <p>{askFor([scope])}</p>
      </Empty>
    </div>
  );
}
