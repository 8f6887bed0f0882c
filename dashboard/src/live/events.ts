// What the live stream says: four kinds of events, read from text and checked before use.
import type { EmailEvent, EpisodeEvent, ScoreEvent, ServedEvent } from "../api/types.ts";

export type LiveEvent =
  | { kind: "score"; data: ScoreEvent }
  | { kind: "episode"; data: EpisodeEvent }
  | { kind: "email"; data: EmailEvent }
  | { kind: "served"; data: ServedEvent };

export type LiveKind = LiveEvent["kind"];

export const KINDS: readonly LiveKind[] = ["score", "episode", "email", "served"];

const REQUIRED: Record<LiveKind, Record<string, "number" | "string">> = {
  score: { client_id: "number", version: "number", day: "number", state: "string" },
  episode: { type: "string", episode_id: "string", client_id: "number" },
  email: { episode_id: "string", client_id: "number", state: "string" },
  served: { as_of: "string" },
};

/** Read one event; throws when it is not what its kind promises. */
export function readEvent(kind: LiveKind, text: string): LiveEvent {
  const data: unknown = JSON.parse(text);
  if (typeof data !== "object" || data === null) throw new Error(`${kind} event is not an object`);
  for (const [field, type] of Object.entries(REQUIRED[kind])) {
    if (typeof (data as Record<string, unknown>)[field] !== type) {
      throw new Error(`${kind} event has no ${type} "${field}"`);
    }
  }
  return { kind, data } as LiveEvent;
}
