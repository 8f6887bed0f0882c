// A dialog over the page, with a title that names it; focus and Escape are the library's work.
import { Dialog } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import styles from "./Modal.module.css";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  about?: string;
  children: ReactNode;
}

export function Modal({ open, onOpenChange, title, about, children }: Props) {
  return (
    <Dialog.Root
      open={open}
      onOpenChange={(next) => {
        onOpenChange(next);
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className={styles["backdrop"]} />
        <Dialog.Popup className={styles["popup"]}>
          <Dialog.Title className={styles["title"]}>{title}</Dialog.Title>
          {about === undefined ? null : (
            <Dialog.Description className={styles["about"]}>{about}</Dialog.Description>
          )}
          <div className={styles["content"]}>{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
