// Sends a person's decision about an email, once however often it has to be sent.
import { useMutation, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { request } from "../../api/client.ts";
import { keys } from "../../api/keys.ts";
import { isPassing } from "../../api/problem.ts";
import type { DecisionAction, DecisionRow, EmailRow } from "../../api/types.ts";
import { createStore, useStore } from "../../shared/store.ts";
import type { Choice, Sent } from "./choices.ts";

/** Those that name the text that they are about: the mailer refuses them for any other. */
const ABOUT_THE_TEXT: ReadonlySet<DecisionAction> = new Set(["approve", "edit", "reject"]);

const sentDecisions = createStore<ReadonlyMap<string, Sent>>(new Map());

export function useSent(episodeId: string): Sent | null {
  return useStore(sentDecisions).get(episodeId) ?? null;
}

/** Whether this page has decided about an email; an edited one still waits to be approved. */
export function isDecided(episodeId: string): boolean {
  const sent = sentDecisions.get().get(episodeId);
  return sent !== undefined && sent.action !== "edit";
}

/** The keys of decisions whose answer is not known: sent again, they count once. */
const unanswered = new Map<string, string>();

export function forgetSent(): void {
  sentDecisions.set(new Map());
  unanswered.clear();
}

/** Send one decision; when it is not known whether it got there, the next try repeats it. */
export async function decide(
  cache: QueryClient,
  row: EmailRow,
  choice: Choice,
): Promise<DecisionRow> {
  const { action, payload } = choice;
  const hash = ABOUT_THE_TEXT.has(action) ? row.email?.draft_hash : null;
  const body = { episode_id: row.episode_id, action, draft_hash: hash ?? null, payload };
  const signature = JSON.stringify(body);
  const key = unanswered.get(signature) ?? crypto.randomUUID();
  unanswered.set(signature, key);
  try {
    const decision = await request<DecisionRow>("/api/decisions", {
      method: "POST",
      body,
      headers: { "idempotency-key": key },
    });
    unanswered.delete(signature);
    note(row, action, decision.id);
    void cache.invalidateQueries({ queryKey: keys.email(row.episode_id) });
    return decision;
  } catch (error) {
    if (!isPassing(error)) unanswered.delete(signature);
    throw error;
  }
}

function note(row: EmailRow, action: DecisionAction, id: number): void {
  const { episode_id: episodeId, state } = row;
  const sent: Sent = { id, episodeId, action, state, at: Date.now() };
  sentDecisions.set(new Map(sentDecisions.get()).set(episodeId, sent));
}

export function useDecide(row: EmailRow) {
  const cache = useQueryClient();
  return useMutation({ mutationFn: (choice: Choice) => decide(cache, row, choice) });
}

export type Decide = ReturnType<typeof useDecide>;
