// Who the client is: name, state, how to reach them, and the way to change it.
import type { ClientRow, ClientState } from "../../api/types.ts";
import { fullName } from "../../shared/format.ts";
import { ClientStateBadge, DemoLabel } from "../../shared/ui/Badge.tsx";
import { EditClient } from "./ClientDialogs.tsx";
import styles from "./ClientHeader.module.css";
import { Updating } from "./Updating.tsx";

export function ClientHeader({ client, state }: { client: ClientRow; state: ClientState | null }) {
  return (
    <header className={styles["header"]}>
      <div>
        <h1 className={styles["name"]}>{fullName(client)}</h1>
        <p className={styles["line"]}>
          <ClientStateBadge state={state} />
          <span>#{client.id}</span>
          {client.email === null ? null : <span>{client.email}</span>}
          <span>{client.time_zone}</span>
          {client.style_tags.length === 0 ? null : <span>{client.style_tags.join(" · ")}</span>}
          {client.consent ? null : (
            <span className={styles["noConsent"]}>does not want emails</span>
          )}
          {client.synthetic ? <DemoLabel /> : null}
          <Updating clientId={client.id} />
        </p>
      </div>
      <EditClient client={client} />
    </header>
  );
}
