// The list of clients: a table where there is room, cards where there is not; only the rows near the
// window exist in the page.
// A narrow screen lays the table out as cards; some browsers then forget that it is a table, and
// the explicit roles remind them.
/* eslint-disable jsx-a11y/no-redundant-roles */
import { Fragment, useCallback, useId, useMemo } from "react";
import type { ClientRow, ClientSort } from "../../api/types.ts";
import { useWidth } from "../../shared/useWidth.ts";
import { DemoLabel } from "../../shared/ui/Badge.tsx";
import { ClientTableRow } from "./ClientTableRow.tsx";
import styles from "./ClientTable.module.css";
import { useRowFocus } from "./useRowFocus.ts";
import { useRowWindow } from "./useRowWindow.ts";

/** Below this width the rows are cards. */
const CARDS_PX = 720;

interface Props {
  rows: ClientRow[];
  /** How many there are in all, loaded or not; null when nobody has counted. */
  total: number | null;
  sort: ClientSort;
  busy: boolean;
  today: string | null;
}

export function ClientTable({ rows, total, sort, busy, today }: Props) {
  const [frame, width] = useWidth();
  const isCards = width > 0 && width < CARDS_PX;
  const { body, active, setActive, move } = useRowFocus(rows.length);
  const { items, rest, firstInSight, scrollTo } = useRowWindow({
    rows,
    frame,
    isCards,
    kept: active,
  });
  const onKey = useCallback(
    (event: React.KeyboardEvent, index: number) => {
      move(event, index, scrollTo);
    },
    [move, scrollTo],
  );
  const helpId = useId();
  const direction =
    sort === "score" ? "ascending" : sort === "-score" ? "descending" : undefined;
  const hasDemo = useMemo(() => rows.some((row) => row.synthetic), [rows]);
  // The tab key reaches one row: the one last used, or the first one in sight.
  const isActiveShown = items.some((item) => item.index === active);
  const tabStop = isActiveShown ? active : firstInSight;
  return (
    <div ref={frame} className={styles["frame"]} data-cards={isCards} aria-busy={busy}>
      <p id={helpId} className="visuallyHidden">
        The arrow keys move from client to client, Enter opens one.
      </p>
      <table
        className={styles["table"]}
        role="table"
        aria-label="Clients"
        aria-describedby={helpId}
        aria-rowcount={total === null ? -1 : total + 1}
      >
        <thead role="rowgroup">
          <tr role="row" aria-rowindex={1}>
            <th role="columnheader" scope="col" className={styles["cName"]}>
              Client
            </th>
            <th role="columnheader" scope="col" className={styles["cState"]}>
              State
            </th>
            <th
              role="columnheader"
              scope="col"
              className={styles["cScore"]}
              aria-sort={direction}
            >
              Orders within 90 days
            </th>
            <th role="columnheader" scope="col">
              Why
            </th>
            <th role="columnheader" scope="col" className={styles["cDay"]}>
              Crossing day
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup" ref={body}>
          {items.map(({ row, index, gap }) => (
            <Fragment key={row.id}>
              {gap > 0 ? <Gap height={gap} /> : null}
              <ClientTableRow
                row={row}
                index={index}
                today={today}
                isTabStop={index === tabStop}
                onKey={onKey}
                onFocus={setActive}
              />
            </Fragment>
          ))}
          {rest > 0 ? <Gap height={rest} /> : null}
        </tbody>
      </table>
      {hasDemo ? (
        <p className={styles["note"]}>
          <DemoLabel short /> marks made-up demo data: the name and tags are nobody’s.
        </p>
      ) : null}
    </div>
  );
}

/** Stands for the rows that are not in the page. */
function Gap({ height }: { height: number }) {
  return (
    <tr aria-hidden="true" className={styles["gap"]} style={{ height }}>
      <td colSpan={5} />
    </tr>
  );
}
