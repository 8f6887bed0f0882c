// A table of plain facts; where it is wider than the page it scrolls by itself, also by keyboard.
import type { ReactNode } from "react";
import styles from "./Table.module.css";

export interface Column<Row> {
  key: string;
  head: ReactNode;
  cell: (row: Row) => ReactNode;
  /** Numbers stand under each other at their end. */
  numeric?: boolean;
  /** Names the row; at most one column does. */
  heads?: boolean;
}

interface Props<Row> {
  /** What the table shows, for those who cannot see it. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  busy?: boolean;
  testId?: string;
}

export function Table<Row>({ label, columns, rows, keyOf, busy = false, testId }: Props<Row>) {
  return (
    // A region that scrolls must be reachable, or a keyboard cannot scroll it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles["frame"]} role="region" aria-label={label} tabIndex={0}>
      <table className={styles["table"]} aria-label={label} aria-busy={busy} data-testid={testId}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" data-numeric={column.numeric === true}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) =>
                column.heads === true ? (
                  <th key={column.key} scope="row" data-numeric={column.numeric === true}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.key} data-numeric={column.numeric === true}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
