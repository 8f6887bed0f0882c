// The keys of the queue, for those who have a keyboard, with the switch that turns them off.
import { useShortcutsOn } from "../../shared/shortcutKeys.ts";
import styles from "./Hints.module.css";

const KEYS = [
  ["j", "next"],
  ["k", "previous"],
  ["a", "approve"],
  ["e", "edit"],
  ["r", "reject"],
] as const;

export function Key({ name }: { name: string }) {
  return (
    <kbd className={styles["key"]} aria-hidden="true">
      {name}
    </kbd>
  );
}

export function Hints() {
  const [on, setOn] = useShortcutsOn();
  return (
    <div className={styles["hints"]} data-testid="shortcuts">
      {on
        ? KEYS.map(([key, does]) => (
            <span key={key} className={styles["hint"]}>
              <kbd className={styles["key"]}>{key}</kbd> {does}
            </span>
          ))
        : null}
      <label className={styles["switch"]}>
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => {
            setOn(event.target.checked);
          }}
        />
        Keyboard shortcuts
      </label>
    </div>
  );
}
