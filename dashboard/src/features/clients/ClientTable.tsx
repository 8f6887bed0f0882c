// The list of clients: a table where there is room, cards where there is not.
// A narrow screen lays the table out as cards; some browsers then forget that it is a table, and
// the explicit roles remind them.
/* eslint-disable jsx-a11y/no-redundant-roles, jsx-a11y/no-interactive-element-to-noninteractive-role */
import { Link } from "@tanstack/react-router";
import { memo, useState } from "react";
import type { ClientRow, ClientSort } from "../../api/types.ts";
import { day, fullName } from "../../shared/format.ts";
import { ClientStateBadge, DemoLabel } from "../../shared/ui/Badge.tsx";
import { ScoreBar } from "../../shared/ui/ScoreBar.tsx";
import styles from "./ClientTable.module.css";
import { whyOf } from "./why.ts";

interface Props {
  rows: ClientRow[];
  sort: ClientSort;
  busy: boolean;
  today: string | null;
}

export function ClientTable({ rows, sort, busy, today }: Props) {
  const direction =
    sort === "score" ? "ascending" : sort === "-score" ? "descending" : undefined;
  return (
    <div className={styles["frame"]} aria-busy={busy}>
      <table className={styles["table"]} role="table" aria-label="Clients">
        <thead>
          <tr>
            <th scope="col" className={styles["cName"]}>
              Client
            </th>
            <th scope="col" className={styles["cState"]}>
              State
            </th>
            <th scope="col" className={styles["cScore"]} aria-sort={direction}>
              Orders within 90 days
            </th>
            <th scope="col">Why</th>
            <th scope="col" className={styles["cDay"]}>
              Crossing day
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <Row key={row.id} row={row} today={today} />
          ))}
        </tbody>
      </table>
      {rows.some((row) => row.synthetic) ? (
        <p className={styles["note"]}>
          <DemoLabel short /> marks made-up demo data: the name and tags are nobody’s.
        </p>
      ) : null}
    </div>
  );
}

const Row = memo(function Row({ row, today }: { row: ClientRow; today: string | null }) {
  const { score } = row;
  // Only what is merged while someone looks is highlighted, not what was there to begin with.
  const [firstVersion] = useState(score?.merged_version);
  const isFresh = score !== null && score.merged_version !== firstVersion;
  return (
    <tr role="row" className={styles["row"]} data-testid={`client-${row.id}`}>
      <td role="cell">
        <Link
          to="/clients/$clientId"
          params={{ clientId: row.id }}
          className={styles["link"]}
        >
          {fullName(row)}
        </Link>
        <div className={styles["under"]}>
          <span>#{row.id}</span>
          {row.synthetic ? <DemoLabel short /> : null}
          <span className={styles["tags"]}>{row.style_tags.join(" · ")}</span>
        </div>
      </td>
      <td role="cell" className={styles["stateCell"]}>
        <ClientStateBadge state={score?.state ?? null} />
      </td>
      <td role="cell" className={styles["scoreCell"]}>
        {/* The key starts the highlight anew whenever another write has been merged. */}
        <div key={score?.merged_version} className={isFresh ? styles["fresh"] : ""}>
          <ScoreBar score={score?.score ?? null} state={score?.state ?? null} />
        </div>
      </td>
      <td role="cell" className={styles["why"]} data-testid="why">
        {whyOf(row)}
      </td>
      <td role="cell" className={styles["day"]} data-testid="crossing-day">
        {score?.crossing_day == null ? "–" : day(score.crossing_day, today)}
      </td>
    </tr>
  );
});
