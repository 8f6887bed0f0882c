// The newest score event of each client seen since the page opened, so that an answer of the API
// that is still behind the stream does not take the page back in time.
import type { ScoreEvent } from "../api/types.ts";
import { supersedes } from "./scores.ts";

/** More than any page shows; beyond it the client not heard of for longest is forgotten. */
const CLIENTS_MAX = 5_000;

const book = new Map<number, ScoreEvent>();

/** Note an event; returns false when a newer one is known already. */
export function noteScore(event: ScoreEvent): boolean {
  const known = book.get(event.client_id);
  if (known !== undefined && !supersedes(event, known)) return false;
  book.delete(event.client_id);
  book.set(event.client_id, event);
  if (book.size > CLIENTS_MAX) {
    const oldest = book.keys().next();
    if (oldest.done !== true) book.delete(oldest.value);
  }
  return true;
}

export function newestScore(clientId: number): ScoreEvent | undefined {
  return book.get(clientId);
}

export function forgetScores(): void {
  book.clear();
}
