// Pure: what may be decided about an email, and how a decision stands.
import type { DecisionAction, DecisionRow, EmailDetail, EmailRow, EmailState } from "../../api/types.ts";
import type { Wording } from "./difference.ts";

/** One thing that can be decided with one press. */
export interface Choice {
  action: DecisionAction;
  name: string;
  doing: string;
  payload: Record<string, unknown>;
}

export const RELEASE: Choice = {
  action: "release",
  name: "Release",
  doing: "Releasing…",
  payload: {},
};
export const RETRY: Choice = { action: "retry", name: "Retry", doing: "Retrying…", payload: {} };
export const APPROVE: Choice = {
  action: "approve",
  name: "Approve",
  doing: "Approving…",
  payload: {},
};
const ARRIVED: Choice = {
  action: "resolve",
  name: "It arrived",
  doing: "Resolving…",
  payload: { sent: true },
};
const NOT_ARRIVED: Choice = { ...ARRIVED, name: "It did not arrive", payload: { sent: false } };

const CHOICES: Partial<Record<EmailState, Choice[]>> = {
  held: [RELEASE],
  failed: [RETRY],
  rejected: [RETRY],
  draft: [APPROVE],
  uncertain: [ARRIVED, NOT_ARRIVED],
};

/** The reason of a recovered episode that fell at risk again, which a person may release. */
const RELEASABLE = "a person may release it";

type Row = Pick<EmailRow, "state" | "reason" | "until">;

/** What can be decided with one press; editing and rejecting a draft ask for more than that. */
export function choicesOf(row: Row): Choice[] {
  // What was released already has a turn that it waits for, and is refused a second one.
  if (row.state === "held" && row.until !== null) return [];
  if (row.state === "recovered") {
    return row.reason.endsWith(RELEASABLE) && row.until === null ? [RELEASE] : [];
  }
  return CHOICES[row.state] ?? [];
}

export function editTo({ subject, body }: Wording): Choice {
  return { action: "edit", name: "Edit", doing: "Saving…", payload: { subject, body } };
}

export function rejectFor(reason: string): Choice {
  return { action: "reject", name: "Reject", doing: "Rejecting…", payload: { reason } };
}

/** A decision sent from this page, and the state of the row it was about. */
export interface Sent {
  id: number;
  episodeId: string;
  action: DecisionAction;
  state: EmailState;
  at: number;
}

export type Standing =
  | { kind: "none" }
  | { kind: "waiting"; action: DecisionAction; since: number }
  | { kind: "refused"; reason: string };

const ACTIONS: ReadonlySet<string> = new Set<DecisionAction>([
  "release",
  "retry",
  "approve",
  "edit",
  "reject",
  "resolve",
]);

/**
 * How the newest decision stands: waiting until the mailer notes its outcome or moves the row on.
 * `detail` may be missing, or older than the decision.
 */
export function standingOf(
  row: EmailRow,
  detail: EmailDetail | undefined,
  sent: Sent | null,
): Standing {
  const newest = detail?.decisions.reduce<DecisionRow | null>(
    (best, each) => (best === null || each.id > best.id ? each : best),
    null,
  );
  return sent === null ? standingOfStored(newest ?? null) : standingOfSent(row, newest, sent);
}

function standingOfSent(
  row: EmailRow,
  newest: DecisionRow | null | undefined,
  sent: Sent,
): Standing {
  const stored = newest?.id === sent.id ? newest : null;
  if (stored?.outcome === "refused") {
    return { kind: "refused", reason: stored.outcome_reason ?? "no reason was given" };
  }
  if (stored?.outcome === "applied" || row.state !== sent.state) return { kind: "none" };
  return { kind: "waiting", action: sent.action, since: sent.at };
}

function standingOfStored(newest: DecisionRow | null): Standing {
  if (newest === null || newest.outcome === "applied" || !isAction(newest.action)) {
    return { kind: "none" };
  }
  if (newest.outcome === "refused") {
    return { kind: "refused", reason: newest.outcome_reason ?? "no reason was given" };
  }
  return { kind: "waiting", action: newest.action, since: Date.parse(newest.created_at) };
}

function isAction(text: string): text is DecisionAction {
  return ACTIONS.has(text);
}
