// A row of filters, one of which is on, each with how many it would show.
import { count } from "../format.ts";
import styles from "./FilterChips.module.css";

export interface Chip<Value> {
  value: Value;
  name: string;
  count: number | null;
}

interface Props<Value> {
  label: string;
  chips: Chip<Value>[];
  value: Value;
  onChange: (value: Value) => void;
}

export function FilterChips<Value extends string | null>({
  label,
  chips,
  value,
  onChange,
}: Props<Value>) {
  return (
    <div className={styles["chips"]} role="group" aria-label={label}>
      {chips.map((chip) => (
        <button
          key={chip.value ?? ""}
          type="button"
          className={styles["chip"]}
          aria-pressed={chip.value === value}
          onClick={() => {
            onChange(chip.value);
          }}
        >
          {chip.name}
          {chip.count === null ? null : (
            <span className={styles["count"]}>{count(chip.count)}</span>
          )}
        </button>
      ))}
    </div>
  );
}
