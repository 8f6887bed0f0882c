// Chooses emails of one state and decides about all of them, after saying what that does.
import { useState } from "react";
import type { EmailRow } from "../../api/types.ts";
import { whatToDo } from "../../api/problem.ts";
import { count, money, plural } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Modal } from "../../shared/ui/Modal.tsx";
import { useBulk, type Failure, type Progress } from "./bulk.ts";
import styles from "./BulkBar.module.css";
import type { Choice } from "./choices.ts";
import { nameOf } from "./EmailCard.tsx";

interface Props {
  choice: Choice;
  /** The rows that are shown and may be chosen. */
  rows: EmailRow[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

/** What a decision about many does, before it is done. */
function effectOf(action: Choice["action"]): string[] {
  if (action === "approve") {
    return [
      "Each text becomes final as you see it now. One that changed meanwhile is refused.",
      "Clients who ordered, said no, or had an email lately are left out, and the reason is shown.",
      "Where delivery is on, the emails are sent in their turn. That cannot be taken back.",
    ];
  }
  if (action === "release") {
    return [
      "Each email takes its turn, the most valuable first, at the pace that the policy allows.",
      "The model then writes a text for each. Whether it needs your approval is up to the policy.",
    ];
  }
  return [
    "Each email goes back to the queue with all its attempts, and the model writes anew.",
    "Every call of the model costs money.",
  ];
}

export function BulkBar({ choice, rows, chosen, onChoose }: Props) {
  const [open, setOpen] = useState<EmailRow[] | null>(null);
  const bulk = useBulk();
  const picked = rows.filter((row) => chosen.has(row.episode_id));
  const isAll = picked.length === rows.length && rows.length > 0;
  function close(): void {
    if (bulk.progress?.running === true) return;
    setOpen(null);
    if (bulk.progress !== null) onChoose(new Set());
    bulk.clear();
  }
  return (
    <div className={styles["bar"]} data-testid="bulk">
      <label className={styles["all"]}>
        <input
          type="checkbox"
          checked={isAll}
          disabled={rows.length === 0}
          onChange={() => {
            onChoose(new Set(isAll ? [] : rows.map((row) => row.episode_id)));
          }}
        />
        {picked.length === 0 ? `Choose all ${count(rows.length)} shown` : `${count(picked.length)} chosen`}
      </label>
      <Button
        small
        disabled={picked.length === 0}
        onClick={() => {
          setOpen(picked);
        }}
      >
        {choice.name} chosen…
      </Button>
      <Modal
        open={open !== null}
        onOpenChange={close}
        title={`${choice.name} ${plural(open?.length ?? 0, "email")}?`}
      >
        {open === null ? null : bulk.progress === null ? (
          <Confirm
            rows={open}
            choice={choice}
            onCancel={close}
            onRun={() => {
              bulk.run(open, choice);
            }}
          />
        ) : (
          <Running
            progress={bulk.progress}
            onStop={bulk.stop}
            onClose={close}
            onAgain={(failures) => {
              bulk.run(
                failures.map(({ row }) => row),
                choice,
              );
            }}
          />
        )}
      </Modal>
    </div>
  );
}

interface ConfirmProps {
  rows: EmailRow[];
  choice: Choice;
  onCancel: () => void;
  onRun: () => void;
}

function Confirm({ rows, choice, onCancel, onRun }: ConfirmProps) {
  const worth = rows.map((row) => row.value_at_risk);
  const currency = worth[0]?.currency;
  const atStake = worth.reduce((sum, one) => sum + Number(one.amount), 0);
  return (
    <div className={styles["confirm"]}>
      <p data-testid="bulk-effect">
        {plural(rows.length, "client")}
        {currency !== undefined && `, worth ${money(atStake, currency)} at risk together`}.
      </p>
      <ul className={styles["effect"]}>
        {effectOf(choice.action).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <div className={styles["buttons"]}>
        <Button onClick={onCancel}>Cancel</Button>
        <Button weight="primary" onClick={onRun}>
          {choice.name} {plural(rows.length, "email")}
        </Button>
      </div>
    </div>
  );
}

interface RunningProps {
  progress: Progress;
  onStop: () => void;
  onClose: () => void;
  onAgain: (failures: Failure[]) => void;
}

function Running({ progress, onStop, onClose, onAgain }: RunningProps) {
  const { total, done, failures, running } = progress;
  const left = total - done - failures.length;
  return (
    <div className={styles["confirm"]}>
      <progress
        className={styles["progress"]}
        max={total}
        value={done + failures.length}
        aria-label="Decisions sent"
      />
      <p role="status" data-testid="bulk-progress">
        {count(done)} of {count(total)} decisions are stored
        {failures.length === 0 ? "" : `, ${count(failures.length)} failed`}
        {!running && left > 0 ? `, ${count(left)} were not sent` : ""}.{" "}
        {running ? "" : "The mailer applies them; a refused one stays here with its reason."}
      </p>
      {failures.length === 0 ? null : (
        <ul className={styles["failures"]} role="list" aria-label="Failed">
          {failures.map(({ row, error }) => (
            <li key={row.episode_id}>
              <strong>{nameOf(row)}</strong>:{" "}
              {error instanceof Error ? error.message : "the page failed"}. {whatToDo(error)}
            </li>
          ))}
        </ul>
      )}
      <div className={styles["buttons"]}>
        {running ? <Button onClick={onStop}>Stop</Button> : null}
        {!running && failures.length > 0 ? (
          <Button
            onClick={() => {
              onAgain(failures);
            }}
          >
            Try the failed again
          </Button>
        ) : null}
        {running ? null : (
          <Button weight="primary" onClick={onClose}>
            Close
          </Button>
        )}
      </div>
    </div>
  );
}
