// One client in the list.
/* eslint-disable jsx-a11y/no-interactive-element-to-noninteractive-role -- see ClientTable */
import { Link } from "@tanstack/react-router";
import { memo, useState, type KeyboardEvent } from "react";
import type { ClientRow } from "../../api/types.ts";
import { day } from "../../shared/format.ts";
import { ClientStateBadge, DemoLabel } from "../../shared/ui/Badge.tsx";
import { Masked } from "../../shared/ui/Masked.tsx";
import { ScoreBar } from "../../shared/ui/ScoreBar.tsx";
import styles from "./ClientTable.module.css";
import { isMasked, nameOf } from "./names.ts";
import { whyOf } from "./why.ts";

interface Props {
  row: ClientRow;
  /** The place in the list, from 0. */
  index: number;
  today: string | null;
  isTabStop: boolean;
  onKey: (event: KeyboardEvent, index: number) => void;
  onFocus: (index: number) => void;
}

export const ClientTableRow = memo(function ClientTableRow(props: Props) {
  const { row, index, today, isTabStop, onKey, onFocus } = props;
  const { score } = row;
  // Only what is merged while someone looks is highlighted, not what was there to begin with.
  const [firstVersion] = useState(score?.merged_version);
  const isFresh = score !== null && score.merged_version !== firstVersion;
  return (
    <tr
      role="row"
      className={styles["row"]}
      aria-rowindex={index + 2}
      data-index={index}
      data-testid={`client-${row.id}`}
    >
      <td role="cell" className={styles["nameCell"]}>
        <Link
          to="/clients/$clientId"
          params={{ clientId: row.id }}
          className={styles["link"]}
          tabIndex={isTabStop ? 0 : -1}
          onKeyDown={(event) => {
            onKey(event, index);
          }}
          onFocus={() => {
            onFocus(index);
          }}
        >
          {nameOf(row)}
        </Link>
        <div className={styles["under"]}>
          <span>#{row.id}</span>
          {isMasked(row) ? <Masked value={row.first_name} /> : null}
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
