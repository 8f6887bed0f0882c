// Who the client is: name, state, how to reach them, and what one may do with it.
import type { ClientRow, ClientState } from "../../api/types.ts";
import { May } from "../../auth/may.tsx";
import { ClientStateBadge, DemoLabel } from "../../shared/ui/Badge.tsx";
import { Masked } from "../../shared/ui/Masked.tsx";
import { EditClient } from "./ClientDialogs.tsx";
import styles from "./ClientHeader.module.css";
import { EraseClient } from "./EraseClient.tsx";
import { ExportClient } from "./ExportClient.tsx";
import { isMasked, nameOf } from "./names.ts";
import { Updating } from "./Updating.tsx";

interface Props {
  client: ClientRow;
  state: ClientState | null;
  onErased: () => void;
}

export function ClientHeader({ client, state, onErased }: Props) {
  const masked = isMasked(client);
  return (
    <header className={styles["header"]}>
      <div>
        <h1 className={styles["name"]}>{nameOf(client)}</h1>
        <p className={styles["line"]}>
          <ClientStateBadge state={state} />
          <span>#{client.id}</span>
          {client.email === null ? null : (
            <span>
              <Masked value={client.email} />
            </span>
          )}
          <span>{client.time_zone}</span>
          {client.style_tags.length === 0 ? null : <span>{client.style_tags.join(" · ")}</span>}
          {client.consent ? null : (
            <span className={styles["noConsent"]}>does not want emails</span>
          )}
          {client.synthetic ? <DemoLabel /> : null}
          <Updating clientId={client.id} />
        </p>
        {masked ? (
          <p className={styles["masked"]} data-testid="masked-note">
            Name and address are hidden from you: they need the permission pii:read. So do export
            and erase.
          </p>
        ) : null}
      </div>
      <div className={styles["acts"]}>
        {masked ? null : (
          <May scope="clients:write">
            <EditClient client={client} />
          </May>
        )}
        <May scope="pii:read">
          <ExportClient id={client.id} />
          <May scope="clients:write">
            <EraseClient client={client} onErased={onErased} />
          </May>
        </May>
      </div>
    </header>
  );
}
