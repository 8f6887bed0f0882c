// Clients by state, day by day, with a look at each day by pointer or arrow keys, or as a table.
import { useState } from "react";
import type { Overview, OverviewDay } from "../../api/types.ts";
import { count, day, money } from "../../shared/format.ts";
import { CLIENT_STATES } from "../../shared/states.ts";
import { Card } from "../../shared/ui/Card.tsx";
import { Figure } from "../../shared/ui/Figure.tsx";
import { FilterChips } from "../../shared/ui/FilterChips.tsx";
import { Empty, Loading, Problem } from "../../shared/ui/Notice.tsx";
import { Table, type Column } from "../../shared/ui/Table.tsx";
import { Areas } from "./Areas.tsx";
import styles from "./ClientsOverTime.module.css";
import { useHistory } from "./queries.ts";
import { SPANS, type Span } from "./search.ts";
import { BANDS, clientsIn, countedLast, thinned } from "./stacked.ts";

const ROWS_MAX = 31;

const COLUMNS: readonly Column<OverviewDay>[] = [
  { key: "day", head: "Day", cell: (each) => day(each.as_of), heads: true },
  ...BANDS.map((state) => ({
    key: state,
    head: CLIENT_STATES[state].name,
    numeric: true,
    cell: (each: OverviewDay) => count(clientsIn(each, state)),
  })),
  {
    key: "value",
    head: "Value at risk",
    numeric: true,
    cell: (each) => money(each.at_risk_value.amount, each.at_risk_value.currency),
  },
];

interface Props {
  /** The figures of the newest day, which are counted more often than the others are read. */
  now: Overview;
  span: Span;
  onSpan: (span: Span) => void;
}

export function ClientsOverTime({ now, span, onSpan }: Props) {
  const history = useHistory(span);
  return (
    <Card
      title="Clients by state"
      aside={
        <FilterChips
          label="How far back"
          value={String(span)}
          chips={SPANS.map((each) => ({
            value: String(each),
            name: each === 365 ? "1 year" : `${each} days`,
            count: null,
          }))}
          onChange={(value) => {
            onSpan(SPANS.find((each) => String(each) === value) ?? span);
          }}
        />
      }
    >
      {history.isPending ? (
        <Loading what="the days" rows={3} />
      ) : history.data === undefined ? (
        <Problem error={history.error} onRetry={() => void history.refetch()} />
      ) : history.data.length < 2 ? (
        <Empty title="Not enough days yet">
          <p>The chart begins once two days have been counted; each day adds a point.</p>
        </Empty>
      ) : (
        <Days days={countedLast(history.data, now)} />
      )}
    </Card>
  );
}

function Days({ days }: { days: readonly OverviewDay[] }) {
  const [chosen, setChosen] = useState<string | null>(null);
  // The day stays chosen while others come; the newest is shown until one is.
  const found = days.findIndex((each) => each.as_of === chosen);
  const index = found < 0 ? days.length - 1 : found;
  const shown = days[index];
  if (shown === undefined) return null;
  const first = days[0]?.as_of ?? shown.as_of;
  const last = days.at(-1)?.as_of ?? shown.as_of;
  return (
    <Figure
      caption={`From ${day(first)} to ${day(last)}, counted once a day.`}
      chart={
        <div className={styles["chart"]}>
          <dl className={styles["legend"]} data-testid="legend">
            <div className={styles["day"]}>
              <dt className="visuallyHidden">Day</dt>
              <dd>{day(shown.as_of)}</dd>
            </div>
            {[...BANDS].reverse().map((state) => (
              <div key={state} className={styles["entry"]} data-state={state}>
                <dt>{CLIENT_STATES[state].name}</dt>
                <dd>{count(clientsIn(shown, state))}</dd>
              </div>
            ))}
          </dl>
          <Areas
            days={days}
            index={index}
            onIndex={(next) => {
              setChosen(next === days.length - 1 ? null : (days[next]?.as_of ?? null));
            }}
          />
        </div>
      }
      table={
        <Table
          label="Clients by state, day by day"
          columns={COLUMNS}
          rows={thinned(days, ROWS_MAX).reverse()}
          keyOf={(each) => each.as_of}
        />
      }
    />
  );
}
