// How the records flow from the shop's database to the page: how far each reader is behind.
import { Link } from "@tanstack/react-router";
import type { Pipeline, PipelineHop } from "../../api/types.ts";
import { plural } from "../../shared/format.ts";
import { Card } from "../../shared/ui/Card.tsx";
import { Table, type Column } from "../../shared/ui/Table.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import { behindWords, lettersIn } from "./pipeline.ts";
import styles from "./PipelineCard.module.css";

const COLUMNS: readonly Column<PipelineHop>[] = [
  {
    key: "name",
    head: "Hop",
    heads: true,
    cell: (hop) => (
      <>
        {hop.name}
        {hop.reason === null ? null : <span className={styles["reason"]}>{hop.reason}</span>}
      </>
    ),
  },
  {
    key: "behind",
    head: "Behind",
    numeric: true,
    cell: (hop) => <span data-testid={`hop-${hop.name}`}>{behindWords(hop)}</span>,
  },
];

export function PipelineCard({ pipeline, mayOperate }: { pipeline: Pipeline; mayOperate: boolean }) {
  const letters = lettersIn(pipeline);
  const say =
    letters === null
      ? "Dead letters could not be counted."
      : letters === 0
        ? "No dead letters."
        : `${plural(letters, "dead letter")} wait for a person.`;
  return (
    <Card
      title="Pipeline"
      aside={
        pipeline.asked_at === null ? null : (
          <>
            asked <Time at={pipeline.asked_at} />
          </>
        )
      }
    >
      <div className={styles["content"]}>
        <Table
          label="Lag per hop"
          columns={COLUMNS}
          rows={pipeline.hops}
          keyOf={(hop) => `${hop.name} ${pipeline.hops.indexOf(hop)}`}
        />
        {pipeline.problems.map((problem) => (
          <p key={problem} className={styles["problem"]}>
            {problem}
          </p>
        ))}
        <p className={styles["letters"]} data-some={letters !== null && letters > 0}>
          <span data-testid="dead-letters">{say}</span>
          {mayOperate ? <Link to="/operations">See operations</Link> : null}
        </p>
      </div>
    </Card>
  );
}
