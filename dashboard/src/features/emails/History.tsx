// How an email came to its state: every change with its reason and actor, and the model's calls.
import type { EmailChange, ModelCall } from "../../api/types.ts";
import { money } from "../../shared/format.ts";
import { EMAIL_STATES } from "../../shared/states.ts";
import { Table, type Column } from "../../shared/ui/Table.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import styles from "./History.module.css";

export function History({ changes }: { changes: EmailChange[] }) {
  return (
    <ol className={styles["history"]} role="list" data-testid="history">
      {changes.map((change, index) => (
        <li key={index} className={styles["step"]} data-state={change.to_state}>
          <span className={styles["when"]}>
            <Time at={change.at} />
          </span>
          <span>
            <span className={styles["to"]}>{EMAIL_STATES[change.to_state].name}</span>{" "}
            <span className={styles["why"]}>
              {change.reason}, by {change.actor}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}

export function Calls({ calls }: { calls: ModelCall[] }) {
  const rows = calls.map((call, index) => ({ ...call, index }));
  return <Table label="Calls to the model" columns={COLUMNS} rows={rows} keyOf={keyOf} />;
}

type Row = ModelCall & { index: number };

function keyOf(row: Row): number {
  return row.index;
}

const COLUMNS: readonly Column<Row>[] = [
  { key: "attempt", head: "Attempt", cell: (call) => call.attempt, heads: true },
  {
    key: "outcome",
    head: "Outcome",
    cell: (call) =>
      call.status_code === null ? call.outcome : `${call.outcome} (${call.status_code})`,
  },
  { key: "took", head: "Took", cell: (call) => `${call.latency_ms} ms`, numeric: true },
  { key: "in", head: "Tokens in", cell: (call) => call.prompt_tokens ?? "–", numeric: true },
  { key: "out", head: "Tokens out", cell: (call) => call.completion_tokens ?? "–", numeric: true },
  {
    key: "cost",
    head: "Cost",
    cell: (call) => (call.cost === null ? "–" : money(call.cost.amount, call.cost.currency)),
    numeric: true,
  },
];
