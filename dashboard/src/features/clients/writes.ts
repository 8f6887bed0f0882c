// What this feature writes: each write is noted, so that the page can say when it is scored.
import { useMutation, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { request, respond } from "../../api/client.ts";
import { keys } from "../../api/keys.ts";
import { createOnce } from "../../api/once.ts";
import type {
  ClientChanges,
  ClientInput,
  ClientRow,
  OrderChanges,
  OrderInput,
  OrderRow,
} from "../../api/types.ts";
import { noteWrite } from "../../live/pendingWrites.ts";
import { saveFile } from "./saveFile.ts";

export function useCreateClient() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (input: ClientInput) => createOnce<ClientRow>("/api/clients", input),
    onSuccess: (row) => {
      noteWrite(row.id, "client", row.version);
      cache.setQueryData(keys.client(row.id), row);
      void cache.invalidateQueries({ queryKey: keys.clientLists });
      void cache.invalidateQueries({ queryKey: keys.stats });
    },
  });
}

/** A change is refused when the row is no longer the one that was looked at. */
interface Change<Fields> {
  seen: { id: number; version: number };
  changes: Fields;
}

export function useUpdateClient() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ seen, changes }: Change<ClientChanges>) =>
      request<ClientRow>(`/api/clients/${seen.id}`, {
        method: "PATCH",
        body: changes,
        headers: { "if-match": `"${seen.version}"` },
      }),
    onSuccess: (row) => {
      noteWrite(row.id, "client", row.version);
      cache.setQueryData(keys.client(row.id), row);
      void cache.invalidateQueries({ queryKey: keys.clientLists });
    },
  });
}

/** Erase a client as it was looked at; one that has changed since is refused. */
export function useEraseClient() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, version }: { id: number; version: number }) =>
      request(`/api/clients/${id}`, {
        method: "DELETE",
        headers: { "if-match": `"${version}"` },
      }),
    onSuccess: (_, { id }) => {
      void cache.invalidateQueries({ queryKey: keys.clientLists });
      void cache.invalidateQueries({ queryKey: keys.stats });
      for (const queryKey of [keys.client(id), keys.score(id), keys.orders(id)]) {
        cache.removeQueries({ queryKey });
      }
    },
  });
}

const EXPORT_LIMIT_MS = 60_000;

/** Save all that is kept about a client as a file; the API's audit notes who asked for it. */
export function useExportClient() {
  return useMutation({
    mutationFn: async (id: number) => {
      const options = { timeoutMs: EXPORT_LIMIT_MS };
      const response = await respond(`/api/clients/${id}/export`, options);
      saveFile(`client-${id}.json`, await response.blob());
    },
  });
}

function orderWritten(cache: QueryClient, row: OrderRow): void {
  noteWrite(row.client_id, `order/${row.id}`, row.version);
  void cache.invalidateQueries({ queryKey: keys.orders(row.client_id) });
}

export function useCreateOrder() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (input: OrderInput) => createOnce<OrderRow>("/api/orders", input),
    onSuccess: (row) => {
      orderWritten(cache, row);
    },
  });
}

export function useUpdateOrder() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ seen, changes }: Change<OrderChanges>) =>
      request<OrderRow>(`/api/orders/${seen.id}`, {
        method: "PATCH",
        body: changes,
        headers: { "if-match": `"${seen.version}"` },
      }),
    onSuccess: (row) => {
      orderWritten(cache, row);
    },
  });
}
