// Saves the policy in the fields as a new version, after saying what that does.
import { useState } from "react";
import { Button } from "../../shared/ui/Button.tsx";
import { Confirm } from "../../shared/ui/Confirm.tsx";
import { TextField } from "../../shared/ui/Form.tsx";
import { ChangeList } from "./ChangeList.tsx";
import { changesBetween, type PolicyPreview, type PolicyRow, type ShopPolicy } from "./document.ts";
import { effectOf } from "./effect.ts";
import { Outdated, useSavePolicy } from "./queries.ts";

interface Props {
  base: PolicyRow;
  /** The policy in the fields; null while they hold none. */
  tried: ShopPolicy | null;
  /** What it would change; null while that is not known. */
  preview: PolicyPreview | null;
  /** Why it is not known, if asking failed. */
  previewFailed: boolean;
  onSaved: (row: PolicyRow) => void;
  onOutdated: () => void;
}

export function SavePolicy({ base, tried, preview, previewFailed, onSaved, onOutdated }: Props) {
  const [open, setOpen] = useState(false);
  const [note, setNote] = useState("");
  const save = useSavePolicy();
  const changes = tried === null ? [] : changesBetween(base.document, tried);
  const effect =
    preview !== null
      ? effectOf(preview)
      : previewFailed
        ? "What it would change could not be reckoned; the reason stands beside the fields."
        : "What it changes is being reckoned…";
  return (
    <>
      <Button
        weight="primary"
        disabled={changes.length === 0}
        onClick={() => {
          save.reset();
          setOpen(true);
        }}
      >
        Save as a new version…
      </Button>
      <Confirm
        open={open}
        onOpenChange={() => {
          setOpen(false);
        }}
        title={`Put version ${base.version + 1} in force?`}
        effect={`${effect} All clients are scored anew under it. Emails already written stay as they are.`}
        act="Save and put in force"
        busy={save.isPending}
        problem={save.error instanceof Outdated ? null : save.error}
        ready={preview !== null || previewFailed}
        onConfirm={() => {
          if (tried === null) return;
          save.mutate(
            { base, document: tried, note: note.trim() },
            {
              onSuccess: (row) => {
                setOpen(false);
                setNote("");
                onSaved(row);
              },
              onError: (error) => {
                if (!(error instanceof Outdated)) return;
                setOpen(false);
                onOutdated();
              },
            },
          );
        }}
      >
        <ChangeList changes={changes} label="What changes" />
        <TextField
          label="Note"
          name="note"
          maxLength={500}
          autoComplete="off"
          hint="Why, for those who read the versions later."
          value={note}
          onChange={(event) => {
            setNote(event.target.value);
          }}
        />
      </Confirm>
    </>
  );
}
