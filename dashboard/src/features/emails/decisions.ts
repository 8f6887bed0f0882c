// A person's decision about an email: what may be decided, sending it, and how it stands.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "../../api/client.ts";
import { keys } from "../../api/keys.ts";
import type {
  DecisionAction,
  DecisionInput,
  DecisionRow,
  EmailDetail,
  EmailRow,
  EmailState,
} from "../../api/types.ts";
import { createStore, useStore } from "../../shared/store.ts";

/** Who decides, until people sign in. */
const ACTOR = "dashboard";

/** One thing that can be decided with one press. */
export interface Choice {
  action: DecisionAction;
  name: string;
  doing: string;
  payload: NonNullable<DecisionInput["payload"]>;
}

const RELEASE: Choice = { action: "release", name: "Release", doing: "Releasing…", payload: {} };
const RETRY: Choice = { action: "retry", name: "Retry", doing: "Retrying…", payload: {} };

const CHOICES: Partial<Record<EmailState, Choice[]>> = {
  held: [RELEASE],
  failed: [RETRY],
  rejected: [RETRY],
  draft: [
    { action: "approve", name: "Approve", doing: "Approving…", payload: {} },
    { action: "reject", name: "Reject", doing: "Rejecting…", payload: {} },
  ],
  uncertain: [
    { action: "resolve", name: "It arrived", doing: "Resolving…", payload: { sent: true } },
    { action: "resolve", name: "It did not arrive", doing: "Resolving…", payload: { sent: false } },
  ],
};

const ACTIONS: ReadonlySet<string> = new Set<DecisionAction>([
  "release",
  "retry",
  "approve",
  "edit",
  "reject",
  "resolve",
]);

/** Those that name the text that they are about: the mailer refuses them for any other. */
const ABOUT_THE_TEXT: ReadonlySet<DecisionAction> = new Set(["approve", "edit", "reject"]);

export function choicesOf(state: EmailState): Choice[] {
  return CHOICES[state] ?? [];
}

/** A person's own wording of a draft. */
export interface Wording {
  subject: string;
  body: string;
}

export function editTo(wording: Wording): Choice {
  return { action: "edit", name: "Edit", doing: "Saving…", payload: { ...wording } };
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

/**
 * How the newest decision stands: waiting until the mailer notes its outcome or moves the row on.
 * `detail` may be missing, or older than the decision.
 */
export function standingOf(row: EmailRow, detail: EmailDetail | undefined, sent: Sent | null) {
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

const sentDecisions = createStore<ReadonlyMap<string, Sent>>(new Map());

export function useSent(episodeId: string): Sent | null {
  return useStore(sentDecisions).get(episodeId) ?? null;
}

export function forgetSent(): void {
  sentDecisions.set(new Map());
}

export function useDecide(row: EmailRow) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ action, payload }: Choice) => {
      const hash = ABOUT_THE_TEXT.has(action) ? row.email?.draft_hash : null;
      const body: DecisionInput = {
        episode_id: row.episode_id,
        action,
        actor: ACTOR,
        draft_hash: hash ?? null,
        payload,
      };
      return request<DecisionRow>("/api/decisions", { method: "POST", body });
    },
    onSuccess: (decision, { action }) => {
      const sent: Sent = {
        id: decision.id,
        episodeId: row.episode_id,
        action,
        state: row.state,
        at: Date.now(),
      };
      sentDecisions.set(new Map(sentDecisions.get()).set(row.episode_id, sent));
      void cache.invalidateQueries({ queryKey: keys.email(row.episode_id) });
    },
  });
}
