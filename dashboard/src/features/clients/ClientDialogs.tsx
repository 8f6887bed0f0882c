// The dialogs that create and edit a client, each with the button that opens it.
import { useState } from "react";
import type { ClientChanges, ClientInput, ClientRow } from "../../api/types.ts";
import { fullName } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Modal } from "../../shared/ui/Modal.tsx";
import { ClientForm } from "./ClientForm.tsx";
import { useCreateClient, useUpdateClient } from "./writes.ts";

export function CreateClient({ onCreated }: { onCreated: (row: ClientRow) => void }) {
  const [open, setOpen] = useState(false);
  const create = useCreateClient();
  function show(next: boolean): void {
    create.reset();
    setOpen(next);
  }
  return (
    <>
      <Button
        weight="primary"
        onClick={() => {
          show(true);
        }}
      >
        New client
      </Button>
      <Modal open={open} onOpenChange={show} title="New client">
        <ClientForm
          client={null}
          busy={create.isPending}
          problem={create.error}
          onSubmit={(input) => {
            create.mutate(input, {
              onSuccess: (row) => {
                show(false);
                onCreated(row);
              },
            });
          }}
          onCancel={() => {
            show(false);
          }}
        />
      </Modal>
    </>
  );
}

/** Only what differs is sent. */
export function changesOf(client: ClientRow, input: ClientInput): ClientChanges {
  const changed = Object.entries(input).filter(
    ([name, value]) => JSON.stringify(client[name as keyof ClientInput]) !== JSON.stringify(value),
  );
  return Object.fromEntries(changed);
}

export function EditClient({ client }: { client: ClientRow }) {
  // The row as it was when the dialog opened: live changes must not slip under the form.
  const [seen, setSeen] = useState<ClientRow | null>(null);
  const update = useUpdateClient();
  function show(row: ClientRow | null): void {
    update.reset();
    setSeen(row);
  }
  function save(row: ClientRow, input: ClientInput): void {
    const changes = changesOf(row, input);
    const done = (): void => {
      show(null);
    };
    if (Object.keys(changes).length === 0) done();
    else update.mutate({ seen: row, changes }, { onSuccess: done });
  }
  return (
    <>
      <Button
        onClick={() => {
          show(client);
        }}
      >
        Edit client
      </Button>
      <Modal
        open={seen !== null}
        onOpenChange={() => {
          show(null);
        }}
        title={`Edit ${fullName(client)}`}
      >
        {seen === null ? null : (
          <ClientForm
            client={seen}
            busy={update.isPending}
            problem={update.error}
            onSubmit={(input) => {
              save(seen, input);
            }}
            onCancel={() => {
              show(null);
            }}
          />
        )}
      </Modal>
    </>
  );
}
