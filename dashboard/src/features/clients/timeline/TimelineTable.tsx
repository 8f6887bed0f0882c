// The line of time in words: what happened, and the stretches of one state with their scores.
import { day, percent, time } from "../../../shared/format.ts";
import { CLIENT_STATES } from "../../../shared/states.ts";
import { Table } from "../../../shared/ui/Table.tsx";
import { staysOf, type Stay } from "./history.ts";
import type { Curve, Mark } from "./shapes.ts";
import styles from "./Timeline.module.css";
import { addDays, type Stretch } from "./windows.ts";

interface Props {
  curve: Curve;
  marks: Mark[];
  stretch: Stretch;
}

export function TimelineTable({ curve, marks, stretch }: Props) {
  const [begin, end] = [Date.parse(stretch.from), Date.parse(addDays(stretch.to, 1))];
  const shown = marks.filter((mark) => mark.at >= begin && mark.at < end).reverse();
  return (
    <div className={styles["tables"]}>
      <Table
        label="What happened, newest first"
        testId="timeline-events"
        rows={shown}
        keyOf={(mark) => mark.id}
        columns={[
          { key: "at", head: "When", cell: ({ at }) => time(new Date(at).toISOString(), true) },
          { key: "what", head: "What", cell: (mark) => mark.title, heads: true },
          { key: "more", head: "More", cell: (mark) => mark.lines.join("; ") },
        ]}
      />
      <Stays curve={curve} />
    </div>
  );
}

/** From which score to which, as far as there is one. */
function scoresOf({ first, last }: Stay): string {
  if (first === null || last === null) return "–";
  return first === last ? percent(last) : `${percent(first)} → ${percent(last)}`;
}

export function Stays({ curve }: { curve: Curve }) {
  return (
    <Table
      label="History of the score, newest first"
      testId="score-history"
      rows={staysOf(curve)}
      keyOf={(stay) => stay.from}
      columns={[
        { key: "from", head: "From", cell: (stay) => day(stay.from) },
        { key: "to", head: "To", cell: ({ to }) => (to === null ? "today" : day(to)) },
        { key: "state", head: "State", cell: ({ state }) => CLIENT_STATES[state].name, heads: true },
        { key: "score", head: "Score", numeric: true, cell: scoresOf },
      ]}
    />
  );
}
