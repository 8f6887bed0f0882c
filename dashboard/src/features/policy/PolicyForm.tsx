// The fields of a policy, in groups: who is at risk, who is written to, how often and when.
import type { Draft, Problems } from "./draft.ts";
import {
  PACE_FIELDS,
  RISK_FIELDS,
  WHO_FIELDS,
  type Field,
} from "./fields.ts";
import styles from "./Fields.module.css";
import { RangeField } from "./RangeField.tsx";

interface Props {
  draft: Draft;
  inForce: Draft;
  problems: Problems;
  /** Whether the person may only look. */
  readOnly: boolean;
  onChange: (draft: Draft) => void;
}

export function PolicyForm({ draft, inForce, problems, readOnly, onChange }: Props) {
  function ranges(fields: readonly Field[]) {
    return fields.map((field) => (
      <RangeField
        key={field.path}
        field={field}
        text={draft.numbers[field.path]}
        inForce={inForce.numbers[field.path]}
        problem={problems[field.path]}
        disabled={readOnly}
        onChange={(text) => {
          onChange({ ...draft, numbers: { ...draft.numbers, [field.path]: text } });
        }}
      />
    ));
  }
  return (
    <form
      aria-label="Policy"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <fieldset className={styles["group"]}>
        <legend className={styles["legend"]}>When a client counts as at risk</legend>
        <div className={styles["fields"]}>{ranges(RISK_FIELDS)}</div>
      </fieldset>
      <fieldset className={styles["group"]}>
        <legend className={styles["legend"]}>Who is written to</legend>
        <div className={styles["fields"]}>
          {ranges(WHO_FIELDS)}
          <div className={styles["field"]} data-changed={draft.autoApprove !== inForce.autoApprove}>
            <label className={styles["check"]}>
              <input
                type="checkbox"
                checked={!draft.autoApprove}
                disabled={readOnly}
                onChange={(event) => {
                  onChange({ ...draft, autoApprove: !event.target.checked });
                }}
              />
              <span className={styles["name"]}>A person approves each text</span>
            </label>
            <p className={styles["help"]}>
              Otherwise a text that passes every check is final by itself.
            </p>
          </div>
        </div>
      </fieldset>
      <fieldset className={styles["group"]}>
        <legend className={styles["legend"]}>How often, and when</legend>
        <div className={styles["fields"]}>
          {ranges(PACE_FIELDS)}
          <QuietField
            draft={draft}
            inForce={inForce}
            problem={problems.quiet}
            readOnly={readOnly}
            onChange={onChange}
          />
        </div>
      </fieldset>
    </form>
  );
}

interface QuietProps extends Omit<Props, "problems"> {
  problem: string | undefined;
}

function QuietField({ draft, inForce, problem, readOnly, onChange }: QuietProps) {
  const { quiet } = draft;
  const isChanged = JSON.stringify(quiet) !== JSON.stringify(inForce.quiet);
  function set(change: Partial<Draft["quiet"]>): void {
    onChange({ ...draft, quiet: { ...quiet, ...change } });
  }
  function time(which: "begin" | "end", label: string) {
    return (
      <input
        type="time"
        className={styles["time"]}
        aria-label={label}
        aria-invalid={problem === undefined ? undefined : true}
        aria-describedby="quiet-note"
        value={quiet[which]}
        disabled={readOnly}
        onChange={(event) => {
          set({ [which]: event.target.value });
        }}
      />
    );
  }
  return (
    <div className={styles["field"]} data-changed={isChanged} data-testid="field-quiet">
      <label className={styles["check"]}>
        <input
          type="checkbox"
          checked={quiet.on}
          disabled={readOnly}
          onChange={(event) => {
            set({ on: event.target.checked });
          }}
        />
        <span className={styles["name"]}>Quiet hours</span>
      </label>
      {quiet.on ? (
        <div className={styles["times"]}>
          from {time("begin", "Quiet hours begin")} to {time("end", "Quiet hours end")}
        </div>
      ) : null}
      <p id="quiet-note" className={styles[problem === undefined ? "help" : "problem"]}>
        {problem ?? "No email goes out in these hours of the client’s own day; they may span midnight."}
      </p>
    </div>
  );
}
