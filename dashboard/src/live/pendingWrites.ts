// One's own writes that the scorer has not merged yet: what "updating" on the page means.
import { createStore, useStore } from "../shared/store.ts";
import { newestScore } from "./scoreBook.ts";

export interface Write {
  clientId: number;
  /** What was written, as the scorer names it: "client" or "order/7". */
  entity: string;
  /** The version that the API's answer gave it. */
  version: number;
  /** Wall time in ms when the answer came. */
  since: number;
}

export interface Settled {
  clientId: number;
  tookMs: number;
  at: number;
}

export interface Evidence {
  merged: readonly (readonly [string, number])[];
}

/** A score carries this many of the newest merged (entity, version) pairs. */
const MERGED_MAX = 32;

/** Beyond this a reader is told that it takes long. */
export const SLOW_MS = 10_000;

/** Whether a score was made with this write, or with a newer image of the same row. */
export function isMerged(write: Write, evidence: Evidence): boolean {
  // A row that changed several times is in the list several times.
  const own = evidence.merged.filter(([entity]) => entity === write.entity);
  if (own.length > 0) return own.some(([, version]) => version >= write.version);
  // A full list whose every pair is newer has pushed the write out: it was merged before them.
  return (
    evidence.merged.length >= MERGED_MAX &&
    evidence.merged.every(([, version]) => version > write.version)
  );
}

const waiting = createStore<readonly Write[]>([]);
const settled = createStore<Settled | null>(null);

/** Note a write of one's own, unless a score that was made with it came before the answer did. */
export function noteWrite(clientId: number, entity: string, version: number): void {
  const write = { clientId, entity, version, since: Date.now() };
  const known = newestScore(clientId);
  if (known !== undefined && isMerged(write, known)) {
    settled.set({ clientId, tookMs: 0, at: Date.now() });
    return;
  }
  const others = waiting
    .get()
    .filter((other) => other.clientId !== clientId || other.entity !== entity);
  waiting.set([...others, write]);
}

/** Drop the writes of a client that a score was made with. */
export function settleWrites(clientId: number, evidence: Evidence): void {
  const before = waiting.get();
  const done = before.filter((write) => write.clientId === clientId && isMerged(write, evidence));
  if (done.length === 0) return;
  waiting.set(before.filter((write) => !done.includes(write)));
  const now = Date.now();
  const first = Math.min(...done.map((write) => write.since));
  settled.set({ clientId, tookMs: now - first, at: now });
}

export function forgetWrites(): void {
  waiting.set([]);
  settled.set(null);
}

/** The client's writes that are still waiting, and the last one that was settled. */
export function usePendingWrites(clientId: number): {
  writes: readonly Write[];
  settled: Settled | null;
} {
  const all = useStore(waiting);
  const last = useStore(settled);
  return {
    writes: all.filter((write) => write.clientId === clientId),
    settled: last?.clientId === clientId ? last : null,
  };
}
