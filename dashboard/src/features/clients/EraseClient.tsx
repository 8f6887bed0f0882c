// Erases a client for good, once the effect has been read and the client's id typed.
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { request, withParams } from "../../api/client.ts";
import type { ClientRow, Page } from "../../api/types.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Confirm } from "../../shared/ui/Confirm.tsx";
import { form } from "../../shared/ui/Form.tsx";
import { useEraseClient } from "./writes.ts";

const COUNTED_MAX = 200;

/** How many there are, as far as one page tells. */
function useCount(path: string, clientId: number, enabled: boolean): string {
  const { data } = useQuery({
    queryKey: ["erasure", path, clientId],
    enabled,
    staleTime: 0,
    queryFn: ({ signal }) =>
      request<Page<unknown>>(withParams(path, { client_id: clientId, limit: COUNTED_MAX }), {
        signal,
      }),
  });
  if (data === undefined) return "all";
  return data.next === null ? `${data.items.length}` : `more than ${COUNTED_MAX}`;
}

interface Props {
  client: ClientRow;
  onErased: () => void;
}

export function EraseClient({ client, onErased }: Props) {
  // The row as it was when the question was asked: one that changed since is refused.
  const [seen, setSeen] = useState<ClientRow | null>(null);
  const [typed, setTyped] = useState("");
  const erase = useEraseClient();
  const orders = useCount("/api/orders", client.id, seen !== null);
  const fieldId = useId();
  const word = String(client.id);
  function show(row: ClientRow | null): void {
    erase.reset();
    setTyped("");
    setSeen(row);
  }
  return (
    <>
      <Button
        weight="danger"
        onClick={() => {
          show(client);
        }}
      >
        Erase
      </Button>
      <Confirm
        open={seen !== null}
        onOpenChange={() => {
          show(null);
        }}
        title={`Erase client ${client.id} for good?`}
        effect={
          `The client goes with ${orders === "1" ? "1 order" : `${orders} orders`}, the score ` +
          "and the texts of all emails, here and on the topics. Emails not yet sent are never " +
          "sent. Counts stay, without a name. Nobody can undo it."
        }
        act="Erase for good"
        danger
        busy={erase.isPending}
        problem={erase.error}
        ready={typed.trim() === word}
        onConfirm={() => {
          if (seen !== null) erase.mutate(seen, { onSuccess: onErased });
        }}
      >
        <div className={form["field"]}>
          <label className={form["label"]} htmlFor={fieldId}>
            Type {word} to confirm
          </label>
          <input
            id={fieldId}
            className={form["control"]}
            inputMode="numeric"
            autoComplete="off"
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value);
            }}
          />
        </div>
      </Confirm>
    </>
  );
}
