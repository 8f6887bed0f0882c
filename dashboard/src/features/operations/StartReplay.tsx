// Chooses the clients of a replay, and asks before it begins.
import { useState } from "react";
import { Button } from "../../shared/ui/Button.tsx";
import { Card } from "../../shared/ui/Card.tsx";
import { form, SelectField, TextArea } from "../../shared/ui/Form.tsx";
import { Ask } from "./Ask.tsx";
import { replayOf, Unfit, type ReplayForm } from "./choices.ts";
import styles from "./Operations.module.css";
import { useReplayPreview } from "./queries.ts";
import type { ReplayInput, Run } from "./shapes.ts";
import { Days } from "./StartBackfill.tsx";
import { replayEffect } from "./words.ts";

const EMPTY: ReplayForm = { who: "ids", ids: "", from: "", to: "" };

export function StartReplay({ onStarted }: { onStarted: (run: Run) => void }) {
  const [fields, setFields] = useState(EMPTY);
  const [wrong, setWrong] = useState<string | null>(null);
  const [asked, setAsked] = useState<{ input: ReplayInput; key: string } | null>(null);
  const preview = useReplayPreview(asked?.input ?? null, asked?.key ?? "");
  const put = (change: Partial<ReplayForm>): void => {
    setFields({ ...fields, ...change });
    setWrong(null);
  };
  return (
    <Card title="Replay">
      <form
        className={form["form"]}
        aria-label="Replay"
        onSubmit={(event) => {
          event.preventDefault();
          try {
            setAsked({ input: replayOf(fields), key: crypto.randomUUID() });
          } catch (error) {
            if (!(error instanceof Unfit)) throw error;
            setWrong(error.message);
          }
        }}
      >
        <p className={styles["mute"]}>
          Sends chosen clients’ rows to the scorer once more: when one of them looks wrong.
        </p>
        <SelectField
          label="Clients"
          name="who"
          value={fields.who}
          onChange={({ target }) => {
            put({ who: target.value });
          }}
        >
          <option value="ids">by number</option>
          <option value="time">who ordered in a time</option>
        </SelectField>
        {fields.who === "time" ? (
          <Days fields={fields} put={put} />
        ) : (
          <TextArea
            label="Numbers"
            name="ids"
            rows={2}
            placeholder="42, 108"
            hint="Apart by commas, spaces or lines; up to 10,000."
            value={fields.ids}
            onChange={({ target }) => {
              put({ ids: target.value });
            }}
          />
        )}
        {wrong === null ? null : (
          <p className={styles["wrong"]} role="alert">
            {wrong}
          </p>
        )}
        <div>
          <Button type="submit">Count the records…</Button>
        </div>
      </form>
      {asked === null ? null : (
        <Ask
          key={asked.key}
          title="Replay these clients?"
          act="Start the replay"
          path="/api/replays"
          asked={asked.key}
          preview={preview}
          effectOf={replayEffect}
          // Exactly those who were counted, also when others have ordered since.
          bodyOf={({ client_ids }) => ({ client_ids })}
          onClose={() => {
            setAsked(null);
          }}
          onStarted={onStarted}
        />
      )}
    </Card>
  );
}
