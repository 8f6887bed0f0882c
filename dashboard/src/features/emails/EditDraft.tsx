// The dialog in which a person words a draft anew; the mailer checks it and notes what changed.
import { useState } from "react";
import type { EmailText } from "../../api/types.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { form, TextArea, TextField, textOf } from "../../shared/ui/Form.tsx";
import { Modal } from "../../shared/ui/Modal.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import { editTo, type useDecide } from "./decisions.ts";

interface Props {
  email: EmailText;
  decide: ReturnType<typeof useDecide>;
  disabled: boolean;
}

export function EditDraft({ email, decide, disabled }: Props) {
  // The text as it was when the dialog opened: a live change must not slip under the form.
  const [seen, setSeen] = useState<EmailText | null>(null);
  function show(next: EmailText | null): void {
    decide.reset();
    setSeen(next);
  }
  return (
    <>
      <Button
        small
        weight="quiet"
        disabled={disabled}
        onClick={() => {
          show(email);
        }}
      >
        Edit
      </Button>
      <Modal
        open={seen !== null}
        onOpenChange={() => {
          show(null);
        }}
        title="Edit the draft"
        about="It stays a draft until it is approved. What you change is kept with your decision."
      >
        <form
          className={form["form"]}
          onSubmit={(event) => {
            event.preventDefault();
            const data = new FormData(event.currentTarget);
            const wording = {
              subject: textOf(data, "subject") ?? "",
              body: textOf(data, "body") ?? "",
            };
            decide.mutate(editTo(wording), {
              onSuccess: () => {
                setSeen(null);
              },
            });
          }}
        >
          {decide.error === null ? null : <Problem error={decide.error} small />}
          <TextField
            label="Subject"
            name="subject"
            required
            autoComplete="off"
            defaultValue={seen?.subject}
          />
          <TextArea label="Text" name="body" required rows={14} defaultValue={seen?.body} />
          <div className={form["actions"]}>
            <Button type="submit" weight="primary" disabled={decide.isPending}>
              {decide.isPending ? "Saving…" : "Save the draft"}
            </Button>
            <Button
              onClick={() => {
                show(null);
              }}
            >
              Cancel
            </Button>
          </div>
        </form>
      </Modal>
    </>
  );
}
