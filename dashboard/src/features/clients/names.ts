// Pure: what a client is called on the page.
import type { ClientRow } from "../../api/types.ts";
import { fullName } from "../../shared/format.ts";
import { MASK } from "../../shared/ui/Masked.tsx";

/** Whether the API hides who the client is. */
export function isMasked(client: Pick<ClientRow, "first_name">): boolean {
  return client.first_name === MASK;
}

/** A client whose name is hidden goes by the id. */
export function nameOf(client: Pick<ClientRow, "id" | "first_name" | "surname">): string {
  return isMasked(client) ? `Client ${client.id}` : fullName(client);
}
