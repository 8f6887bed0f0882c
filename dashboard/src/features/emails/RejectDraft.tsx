// The dialog in which a person rejects a draft and says why.
import type { EmailText } from "../../api/types.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { form, TextField, textOf } from "../../shared/ui/Form.tsx";
import { Modal } from "../../shared/ui/Modal.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { rejectFor } from "./choices.ts";
import type { Decide } from "./decisions.ts";

const USUAL = [
  "Does not sound like us",
  "Not true of this client",
  "Not the right moment",
  "Reads like advertising",
];

interface Props {
  seen: EmailText | null;
  decide: Decide;
  onClose: () => void;
  onRejected: () => void;
}

export function RejectDraft({ seen, decide, onClose, onRejected }: Props) {
  return (
    <Modal
      open={seen !== null}
      onOpenChange={onClose}
      title="Reject the draft"
      about="The client gets no email for this silence, unless someone retries it later."
    >
      <form
        className={form["form"]}
        onSubmit={(event) => {
          event.preventDefault();
          const reason = textOf(new FormData(event.currentTarget), "reason");
          if (reason !== null) decide.mutate(rejectFor(reason), { onSuccess: onRejected });
        }}
      >
        {decide.error === null ? null : <Problem error={decide.error} small />}
        <TextField
          label="Why?"
          name="reason"
          required
          pattern=".*\S.*"
          maxLength={500}
          list="reject-reasons"
          autoComplete="off"
          hint="Kept with your decision, for those who look after the texts."
        />
        <datalist id="reject-reasons">
          {USUAL.map((reason) => (
            <option key={reason} value={reason} />
          ))}
        </datalist>
        <div className={form["actions"]}>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" weight="danger" disabled={decide.isPending}>
            {decide.isPending ? "Rejecting…" : "Reject"}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
