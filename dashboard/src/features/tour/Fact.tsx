// One figure of the tour, with where it comes from.
import type { ReactNode } from "react";
import styles from "./Tour.module.css";

export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles["facts"]}>{children}</dl>;
}

interface Props {
  name: string;
  /** Where the figure comes from, such as the API's address. */
  from: string;
  testId?: string;
  children: ReactNode;
}

export function Fact({ name, from, testId, children }: Props) {
  return (
    <div className={styles["fact"]}>
      <dt>{name}</dt>
      <dd>
        <span data-testid={testId}>{children}</span>
        <span className={styles["from"]}>{from}</span>
      </dd>
    </div>
  );
}

/** Something that is waited for. */
export function Waiting({ children }: { children: ReactNode }) {
  return (
    <p className={styles["waiting"]} role="status">
      <progress aria-label="Waiting" />
      <span>{children}</span>
    </p>
  );
}
