// The dialog in which a person words a draft anew and sees what differs from the model's draft.
import { useState } from "react";
import type { EmailText } from "../../api/types.ts";
import { count } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { form, TextArea, TextField } from "../../shared/ui/Form.tsx";
import { Modal } from "../../shared/ui/Modal.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { BODY, fits, SUBJECT, type Bounds } from "./bounds.ts";
import { Changes } from "./Changes.tsx";
import { editTo } from "./choices.ts";
import type { Decide } from "./decisions.ts";
import type { Wording } from "./difference.ts";

const said = ({ min, max }: Bounds) => `${count(min)} to ${count(max)} characters.`;

interface Props {
  /** The text as it was when the dialog opened: a live change must not slip under the form. */
  seen: EmailText | null;
  /** What the model wrote, where people have edited it since. */
  draft: Wording | null;
  decide: Decide;
  onClose: () => void;
}

export function EditDraft({ seen, draft, decide, onClose }: Props) {
  return (
    <Modal
      open={seen !== null}
      onOpenChange={onClose}
      title="Edit the draft"
      about="It stays a draft until it is approved. What you change is kept with your decision."
    >
      {seen === null ? null : (
        <EditForm seen={seen} draft={draft} decide={decide} onClose={onClose} />
      )}
    </Modal>
  );
}

function EditForm({ seen, draft, decide, onClose }: Props & { seen: EmailText }) {
  const [wording, setWording] = useState<Wording>({ subject: seen.subject, body: seen.body });
  const isSame = wording.subject === seen.subject && wording.body === seen.body;
  const isFine = fits(wording.subject, SUBJECT) && fits(wording.body, BODY);
  return (
    <form
      className={form["form"]}
      onSubmit={(event) => {
        event.preventDefault();
        const { subject, body } = wording;
        decide.mutate(editTo({ subject: subject.trim(), body: body.trim() }), {
          onSuccess: onClose,
        });
      }}
    >
      {decide.error === null ? null : <Problem error={decide.error} small />}
      <TextField
        label="Subject"
        name="subject"
        required
        maxLength={SUBJECT.max}
        hint={said(SUBJECT)}
        autoComplete="off"
        value={wording.subject}
        onChange={(event) => {
          setWording({ ...wording, subject: event.target.value });
        }}
      />
      <TextArea
        label="Text"
        name="body"
        required
        rows={10}
        maxLength={BODY.max}
        hint={said(BODY)}
        value={wording.body}
        onChange={(event) => {
          setWording({ ...wording, body: event.target.value });
        }}
      />
      <Changes before={draft ?? seen} after={wording} />
      <div className={form["actions"]}>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" weight="primary" disabled={decide.isPending || isSame || !isFine}>
          {decide.isPending ? "Saving…" : "Save the draft"}
        </Button>
      </div>
    </form>
  );
}
