// Chooses the rows of a backfill, and asks before it begins.
import { useState } from "react";
import { Button } from "../../shared/ui/Button.tsx";
import { Card } from "../../shared/ui/Card.tsx";
import { form, SelectField, TextField } from "../../shared/ui/Form.tsx";
import { Ask } from "./Ask.tsx";
import { backfillOf, Unfit, type BackfillForm } from "./choices.ts";
import styles from "./Operations.module.css";
import { useBackfillPreview } from "./queries.ts";
import type { BackfillInput, Run } from "./shapes.ts";
import { backfillEffect } from "./words.ts";

const EMPTY: BackfillForm = { table: "orders", rows: "all", from: "", to: "", where: "" };

export function StartBackfill({ onStarted }: { onStarted: (run: Run) => void }) {
  const [fields, setFields] = useState(EMPTY);
  const [wrong, setWrong] = useState<string | null>(null);
  const [asked, setAsked] = useState<{ input: BackfillInput; key: string } | null>(null);
  const preview = useBackfillPreview(asked?.input ?? null, asked?.key ?? "");
  const put = (change: Partial<BackfillForm>): void => {
    setFields({ ...fields, ...change });
    setWrong(null);
  };
  return (
    <Card title="Backfill">
      <form
        className={form["form"]}
        aria-label="Backfill"
        onSubmit={(event) => {
          event.preventDefault();
          try {
            setAsked({ input: backfillOf(fields), key: crypto.randomUUID() });
          } catch (error) {
            if (!(error instanceof Unfit)) throw error;
            setWrong(error.message);
          }
        }}
      >
        <p className={styles["mute"]}>
          Reads rows of Postgres again while live changes go on: after a column or a rule changed.
        </p>
        <div className={form["pair"]}>
          <SelectField
            label="Table"
            name="table"
            value={fields.table}
            onChange={({ target }) => {
              const isTime = target.value === "clients" && fields.rows === "time";
              put({ table: target.value, ...(isTime ? { rows: "all" } : {}) });
            }}
          >
            <option value="orders">orders</option>
            <option value="clients">clients</option>
          </SelectField>
          <SelectField
            label="Rows"
            name="rows"
            value={fields.rows}
            onChange={({ target }) => {
              put({ rows: target.value });
            }}
          >
            <option value="all">every row</option>
            {fields.table === "orders" ? <option value="time">ordered in a time</option> : null}
            <option value="condition">by a condition</option>
          </SelectField>
        </div>
        {fields.rows === "time" ? <Days fields={fields} put={put} /> : null}
        {fields.rows === "condition" ? (
          <TextField
            label="Condition"
            name="where"
            autoComplete="off"
            spellCheck={false}
            placeholder="client_id = 42"
            hint="SQL over captured columns: ids, times, amounts, status, version."
            value={fields.where}
            onChange={({ target }) => {
              put({ where: target.value });
            }}
          />
        ) : null}
        {wrong === null ? null : (
          <p className={styles["wrong"]} role="alert">
            {wrong}
          </p>
        )}
        <div>
          <Button type="submit">Count the rows…</Button>
        </div>
      </form>
      {asked === null ? null : (
        <Ask
          key={asked.key}
          title={`Backfill ${asked.input.table}?`}
          act="Start the backfill"
          path="/api/backfills"
          asked={asked.key}
          preview={preview}
          effectOf={backfillEffect}
          bodyOf={({ rows }) => (rows === 0 ? null : asked.input)}
          onClose={() => {
            setAsked(null);
          }}
          onStarted={onStarted}
        />
      )}
    </Card>
  );
}

interface DaysProps {
  fields: { from: string; to: string };
  put: (change: { from?: string; to?: string }) => void;
}

/** The first and the last day of a time, in the viewer's zone. */
export function Days({ fields, put }: DaysProps) {
  return (
    <div className={form["pair"]}>
      <TextField
        label="From"
        name="from"
        type="date"
        required
        value={fields.from}
        onChange={({ target }) => {
          put({ from: target.value });
        }}
      />
      <TextField
        label="To, with this day"
        name="to"
        type="date"
        required
        hint="Days of your own time zone."
        value={fields.to}
        onChange={({ target }) => {
          put({ to: target.value });
        }}
      />
    </div>
  );
}
