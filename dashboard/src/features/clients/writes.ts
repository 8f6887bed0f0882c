// What this feature writes: each write is noted, so that the page can say when it is scored.
import { useMutation, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { request } from "../../api/client.ts";
import { keys } from "../../api/keys.ts";
import type {
  ClientChanges,
  ClientInput,
  ClientRow,
  OrderChanges,
  OrderInput,
  OrderRow,
} from "../../api/types.ts";
import { noteWrite } from "../../live/pendingWrites.ts";

export function useCreateClient() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (input: ClientInput) =>
      request<ClientRow>("/api/clients", { method: "POST", body: input }),
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

function orderWritten(cache: QueryClient, row: OrderRow): void {
  noteWrite(row.client_id, `order/${row.id}`, row.version);
  void cache.invalidateQueries({ queryKey: keys.orders(row.client_id) });
}

export function useCreateOrder() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (input: OrderInput) =>
      request<OrderRow>("/api/orders", { method: "POST", body: input }),
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
