// Pure: why an email stands where it stands, as a marketer would say it, and what one can do.
import type { EmailState } from "../../api/types.ts";
import { FINAL } from "./endedReasons.ts";
import { BY_ITSELF, ENDED, type Known, type Row } from "./known.ts";
import { WAITING } from "./waitingReasons.ts";
import { sentence } from "./words.ts";

export interface Reason {
  why: string;
  todo: string;
}

const KNOWN: Partial<Record<EmailState, Known[]>> = { ...WAITING, ...FINAL };

/** What helps in a state whose reason is not among the known ones. */
const OTHERWISE: Record<EmailState, string> = {
  held_out: "Leave it so: writing to this client would spoil the comparison.",
  held: "Release it if an email still makes sense today.",
  pending: "It is tried again by itself.",
  deferred: BY_ITSELF,
  writing: "Look again in a few seconds.",
  draft: "Read it, then approve, edit or reject it.",
  written: BY_ITSELF,
  sending: "Look again in a few seconds.",
  sent: ENDED,
  uncertain: "Find out whether it arrived, then say so.",
  recovered: ENDED,
  suppressed: ENDED,
  rejected: "Retry it to have another text written.",
  failed: "Retry it: all attempts start anew.",
};

/** Say why the email stands where it stands; a reason that is not known is quoted as it is. */
export function reasonOf(row: Row): Reason {
  for (const known of KNOWN[row.state] ?? []) {
    const found = known.match.exec(row.reason);
    if (found !== null) return { why: known.why(row, found.slice(1)), todo: known.todo };
  }
  return { why: sentence(row.reason), todo: OTHERWISE[row.state] };
}
