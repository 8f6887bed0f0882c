// What is wrong with which row: line, column and reason.
import { count } from "../../../shared/format.ts";
import { Table } from "../../../shared/ui/Table.tsx";
import styles from "./Import.module.css";
import type { Rejected } from "./rows.ts";

/** The file of rejected rows has all; a page with more would only be slow. */
const SHOWN_MAX = 50;

export function RowProblems({ rejected }: { rejected: readonly Rejected[] }) {
  if (rejected.length === 0) return null;
  const shown = rejected
    .slice(0, SHOWN_MAX)
    .flatMap(({ line, problems }) => problems.map((problem, index) => ({ line, index, ...problem })));
  return (
    <div className={styles["problems"]}>
      <Table
        label="Rejected rows"
        testId="row-problems"
        rows={shown}
        keyOf={({ line, index }) => `${line}/${index}`}
        columns={[
          { key: "line", head: "Line", numeric: true, cell: ({ line }) => line },
          { key: "column", head: "Column", cell: ({ column }) => column ?? "the row", heads: true },
          { key: "detail", head: "What is wrong", cell: ({ detail }) => detail },
        ]}
      />
      {rejected.length > SHOWN_MAX ? (
        <p className={styles["about"]}>
          The first {SHOWN_MAX} of {count(rejected.length)} rejected rows; the file has all.
        </p>
      ) : null}
    </div>
  );
}
