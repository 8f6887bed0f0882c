// The list of keyboard shortcuts, and the switch that turns them off.
import { useShortcutsOn } from "../shared/shortcutKeys.ts";
import { CheckField } from "../shared/ui/Form.tsx";
import { Modal } from "../shared/ui/Modal.tsx";
import { SHORTCUTS } from "./shortcuts.ts";
import styles from "./Shortcuts.module.css";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

export function Shortcuts({ open, onOpenChange }: Props) {
  const [on, turn] = useShortcutsOn();
  return (
    <Modal open={open} onOpenChange={onOpenChange} title="Keyboard shortcuts">
      <dl className={styles["list"]}>
        {SHORTCUTS.map(([keys, what]) => (
          <div key={keys} className={styles["row"]}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key} className={styles["key"]}>
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <CheckField
        label="Shortcuts are on"
        name="shortcuts"
        checked={on}
        onChange={(event) => {
          turn(event.currentTarget.checked);
        }}
      />
    </Modal>
  );
}
