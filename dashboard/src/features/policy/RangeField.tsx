// A number that is set by a slider or by typing it; what is wrong with it stands below.
import { useId } from "react";
import { numberOf } from "./draft.ts";
import type { Field } from "./fields.ts";
import styles from "./Fields.module.css";

interface Props {
  field: Field;
  text: string;
  /** The value in force, to go back to. */
  inForce: string;
  problem: string | undefined;
  disabled: boolean;
  onChange: (text: string) => void;
}

export function RangeField({ field, text, inForce, problem, disabled, onChange }: Props) {
  const id = useId();
  const { name, unit, help, step, slider } = field;
  const [low, high] = slider;
  const value = numberOf(text);
  const isChanged = text !== inForce;
  return (
    <div className={styles["field"]} data-changed={isChanged} data-testid={`field-${field.path}`}>
      <div className={styles["line"]}>
        <label className={styles["name"]} htmlFor={id}>
          {name}
        </label>
        <span className={styles["number"]}>
          <input
            id={id}
            className={styles["input"]}
            inputMode="decimal"
            autoComplete="off"
            value={text}
            disabled={disabled}
            aria-invalid={problem === undefined ? undefined : true}
            aria-describedby={`${id}-note`}
            onChange={(event) => {
              onChange(event.target.value);
            }}
          />
          <span className={styles["unit"]}>{unit}</span>
        </span>
      </div>
      <input
        type="range"
        className={styles["range"]}
        aria-label={`${name}, slider`}
        aria-valuetext={`${text} ${unit}`}
        min={low}
        max={high}
        step={step}
        disabled={disabled}
        value={Math.min(high, Math.max(low, value ?? low))}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
      <p id={`${id}-note`} className={styles[problem === undefined ? "help" : "problem"]}>
        {problem ?? help}
      </p>
      {isChanged ? (
        <button
          type="button"
          className={styles["back"]}
          disabled={disabled}
          onClick={() => {
            onChange(inForce);
          }}
        >
          now {inForce} {unit} · set back<span className="visuallyHidden">: {name}</span>
        </button>
      ) : null}
    </div>
  );
}
