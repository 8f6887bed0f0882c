// Whether the client agrees to be written to, and what changing it does.
import { Switch } from "@base-ui/react/switch";
import { useId } from "react";
import { useMay } from "../../auth/may.tsx";
import type { ClientRow } from "../../api/types.ts";
import { Card } from "../../shared/ui/Card.tsx";
import { Problem } from "../../shared/ui/Notice.tsx";
import styles from "./Consent.module.css";
import { useUpdateClient } from "./writes.ts";

const EFFECTS = {
  given:
    "One email may be written each time this client falls at risk. Switched off, every email " +
    "that is not sent yet is suppressed at once, for good, and none is written any more.",
  withdrawn:
    "No email is written to this client. Switched on, the next silence may bring one; what was " +
    "suppressed meanwhile stays suppressed.",
} as const;

export function Consent({ client }: { client: ClientRow }) {
  const update = useUpdateClient();
  const may = useMay("clients:write");
  const id = useId();
  const wanted = update.isPending ? update.variables.changes.consent : client.consent;
  return (
    <Card title="Consent">
      <div className={styles["line"]}>
        <Switch.Root
          className={styles["switch"]}
          checked={wanted ?? client.consent}
          disabled={!may || update.isPending}
          aria-labelledby={`${id}-label`}
          aria-describedby={`${id}-effect`}
          data-testid="consent"
          onCheckedChange={(consent) => {
            update.mutate({ seen: client, changes: { consent } });
          }}
        >
          <Switch.Thumb className={styles["thumb"]} />
        </Switch.Root>
        <span id={`${id}-label`} className={styles["label"]}>
          Agrees to be written to
        </span>
      </div>
      <p id={`${id}-effect`} className={styles["effect"]}>
        {EFFECTS[client.consent ? "given" : "withdrawn"]}
      </p>
      {may ? null : (
        <p className={styles["effect"]}>Changing it needs the permission clients:write.</p>
      )}
      {update.isError ? <Problem error={update.error} small /> : null}
    </Card>
  );
}
