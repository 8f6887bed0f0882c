// Asks before something that cannot be taken back: states the effect first, and stays open until
// the act has succeeded, so that its failure is read where it was asked for.
import { AlertDialog } from "@base-ui/react/alert-dialog";
import type { ReactNode } from "react";
import { Button } from "./Button.tsx";
import { form } from "./Form.tsx";
import styles from "./Modal.module.css";
import { Problem } from "./Notice.tsx";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** The question, such as "Erase client 42?". */
  title: string;
  /** What will happen, in numbers where there are any. */
  effect: string;
  /** What the button says, such as "Erase". */
  act: string;
  onConfirm: () => void;
  danger?: boolean;
  busy?: boolean;
  problem?: unknown;
  /** Whether the act is possible yet, such as once a name has been typed. */
  ready?: boolean;
  children?: ReactNode;
}

export function Confirm({
  open,
  onOpenChange,
  title,
  effect,
  act,
  onConfirm,
  danger = false,
  busy = false,
  problem = null,
  ready = true,
  children,
}: Props) {
  return (
    <AlertDialog.Root
      open={open}
      onOpenChange={(next) => {
        onOpenChange(next);
      }}
    >
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={styles["backdrop"]} />
        <AlertDialog.Popup className={styles["popup"]}>
          <AlertDialog.Title className={styles["title"]}>{title}</AlertDialog.Title>
          <AlertDialog.Description className={styles["about"]}>{effect}</AlertDialog.Description>
          <form
            className={styles["content"]}
            onSubmit={(event) => {
              event.preventDefault();
              if (ready && !busy) onConfirm();
            }}
          >
            <div className={form["form"]}>
              {children}
              {problem === null ? null : <Problem error={problem} small />}
              <div className={form["actions"]}>
                <Button
                  onClick={() => {
                    onOpenChange(false);
                  }}
                >
                  Cancel
                </Button>
                <Button
                  type="submit"
                  weight={danger ? "danger" : "primary"}
                  disabled={!ready || busy}
                >
                  {busy ? "Working…" : act}
                </Button>
              </div>
            </div>
          </form>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
