// What a person does with a draft: approve, edit or reject it, by button or by key.
import { useMemo, useState } from "react";
import type { EmailRow, EmailText } from "../../api/types.ts";
import { useShortcutsOn } from "../../shared/shortcutKeys.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { APPROVE } from "./choices.ts";
import type { Decide } from "./decisions.ts";
import type { Wording } from "./difference.ts";
import { EditDraft } from "./EditDraft.tsx";
import { Key } from "./Hints.tsx";
import { RejectDraft } from "./RejectDraft.tsx";
import { useShortcuts, type Shortcuts } from "./shortcuts.ts";

interface Props {
  row: EmailRow & { email: EmailText };
  draft: Wording | null;
  decide: Decide;
  /** The decision that waits for the mailer, if one does. */
  waiting: string | null;
  onDecided: () => void;
}

export function DraftActions({ row, draft, decide, waiting, onDecided }: Props) {
  const [open, setOpen] = useState<{ what: "edit" | "reject"; seen: EmailText } | null>(null);
  const [keysOn] = useShortcutsOn();
  const busy = waiting !== null || decide.isPending;
  const { email } = row;
  const { mutate, reset } = decide;
  const acts = useMemo(() => {
    const show = (what: "edit" | "reject") => () => {
      reset();
      setOpen({ what, seen: email });
    };
    return {
      approve: () => {
        mutate(APPROVE, { onSuccess: onDecided });
      },
      edit: show("edit"),
      reject: show("reject"),
    };
  }, [email, mutate, reset, onDecided]);
  const shortcuts: Shortcuts = useMemo(
    () => (busy ? {} : { a: acts.approve, e: acts.edit, r: acts.reject }),
    [busy, acts],
  );
  useShortcuts(shortcuts);
  const close = (): void => {
    setOpen(null);
  };
  const isDoing = (action: string): boolean =>
    waiting === action || (decide.isPending && decide.variables.action === action);
  return (
    <>
      <Button
        small
        weight="primary"
        disabled={busy}
        aria-keyshortcuts={keysOn ? "a" : undefined}
        onClick={acts.approve}
      >
        {isDoing("approve") ? "Approving…" : "Approve"}
        {keysOn ? <Key name="a" /> : null}
      </Button>
      <Button
        small
        disabled={busy}
        aria-keyshortcuts={keysOn ? "e" : undefined}
        onClick={acts.edit}
      >
        {isDoing("edit") ? "Saving…" : "Edit"}
        {keysOn ? <Key name="e" /> : null}
      </Button>
      <Button
        small
        weight="danger"
        disabled={busy}
        aria-keyshortcuts={keysOn ? "r" : undefined}
        onClick={acts.reject}
      >
        {isDoing("reject") ? "Rejecting…" : "Reject"}
        {keysOn ? <Key name="r" /> : null}
      </Button>
      <EditDraft
        seen={open?.what === "edit" ? open.seen : null}
        draft={draft}
        decide={decide}
        onClose={close}
      />
      <RejectDraft
        seen={open?.what === "reject" ? open.seen : null}
        decide={decide}
        onClose={close}
        onRejected={() => {
          close();
          onDecided();
        }}
      />
    </>
  );
}
