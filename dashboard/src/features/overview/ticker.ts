// Pure: live events as short lines, gathered so that a busy shop stays readable.
import type { LiveEvent } from "../../live/events.ts";
import { day, percent, plural } from "../../shared/format.ts";
import { CLIENT_STATES, EMAIL_STATES, isEmailState } from "../../shared/states.ts";

export interface Line {
  key: number;
  /** Wall time in ms when the page heard of it. */
  at: number;
  text: string;
  to: { kind: "client"; id: number } | { kind: "email"; id: string } | null;
}

/** The page keeps so many lines. */
export const LINES_MAX = 30;
/** Of the scores of one gathering, so many are shown singly. */
const SCORES_MAX = 4;

function lineOf(event: LiveEvent): Pick<Line, "text" | "to"> {
  switch (event.kind) {
    case "score": {
      const { client_id: id, score, state } = event.data;
      const figure = score === null ? "" : `, ${percent(score)}`;
      const name = CLIENT_STATES[state].name.toLowerCase();
      return { text: `Client ${id} scored: ${name}${figure}`, to: { kind: "client", id } };
    }
    case "episode": {
      const { client_id: id, type } = event.data;
      const verb = type.includes("closed") ? "is over" : "begins";
      return { text: `Client ${id}: an episode ${verb}`, to: { kind: "client", id } };
    }
    case "email": {
      const { client_id: client, episode_id: id, state } = event.data;
      const name = isEmailState(state) ? EMAIL_STATES[state].name.toLowerCase() : state;
      return { text: `Email to client ${client}: ${name}`, to: { kind: "email", id } };
    }
    case "served":
      return { text: `A new day is served: ${day(event.data.as_of)}`, to: null };
  }
}

/**
 * Put what was gathered on top of the lines, newest first. Of many scores only the newest are
 * shown; the others are counted in one line.
 */
export function withEvents(
  lines: readonly Line[],
  events: readonly LiveEvent[],
  at: number,
): Line[] {
  const scores = events.filter((event) => event.kind === "score");
  const left = new Set(scores.slice(0, Math.max(0, scores.length - SCORES_MAX)));
  let key = (lines[0]?.key ?? 0) + 1;
  const fresh: Line[] = [];
  if (left.size > 0) {
    fresh.push({ key: key++, at, text: `${plural(left.size, "more client")} scored`, to: null });
  }
  for (const event of events) {
    if (event.kind === "score" && left.has(event)) continue;
    fresh.push({ key: key++, at, ...lineOf(event) });
  }
  return [...fresh.reverse(), ...lines].slice(0, LINES_MAX);
}

