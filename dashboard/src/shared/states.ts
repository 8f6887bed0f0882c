// The names, meanings and tones of the states of clients and emails.
import type { ClientState, EmailState } from "../api/types.ts";

export type Tone = "good" | "warn" | "bad" | "info" | "violet" | "mute";

export interface StateWords {
  name: string;
  tone: Tone;
  meaning: string;
}

export const CLIENT_STATES: Record<ClientState, StateWords> = {
  active: { name: "Active", tone: "good", meaning: "Orders about as often as usual." },
  at_risk: { name: "At risk", tone: "warn", meaning: "Silent for longer than is usual for them." },
  one_order: { name: "One order", tone: "info", meaning: "Ordered on one day only so far." },
  lapsed: { name: "Lapsed", tone: "mute", meaning: "Silent for too long to call it a pause." },
  no_orders: { name: "No orders", tone: "mute", meaning: "Has no counted order, so no score." },
};

export const EMAIL_STATES: Record<EmailState, StateWords> = {
  held: { name: "Held", tone: "warn", meaning: "Waits until a person releases it." },
  pending: { name: "Pending", tone: "info", meaning: "Waits for its turn to be written." },
  deferred: { name: "Deferred", tone: "info", meaning: "Waits for a better time." },
  writing: { name: "Writing", tone: "info", meaning: "The model is writing it now." },
  draft: { name: "Draft", tone: "violet", meaning: "Written and checked; waits for approval." },
  written: { name: "Written", tone: "good", meaning: "Written and approved." },
  sending: { name: "Sending", tone: "info", meaning: "Is being delivered." },
  sent: { name: "Sent", tone: "good", meaning: "Was delivered." },
  uncertain: {
    name: "Uncertain",
    tone: "bad",
    meaning: "It is not known whether it was delivered; a person must find out.",
  },
  recovered: { name: "Recovered", tone: "good", meaning: "The client ordered meanwhile." },
  held_out: {
    name: "Held out",
    tone: "mute",
    meaning: "In the comparison group, which gets no email.",
  },
  suppressed: { name: "Suppressed", tone: "mute", meaning: "May not be written to." },
  rejected: { name: "Rejected", tone: "bad", meaning: "The text did not pass, or was refused." },
  failed: { name: "Failed", tone: "bad", meaning: "Could not be written; the reason is kept." },
};

export const CLIENT_STATE_ORDER: readonly ClientState[] = [
  "at_risk",
  "active",
  "one_order",
  "lapsed",
  "no_orders",
];

export const EMAIL_STATE_ORDER: readonly EmailState[] = [
  "held",
  "draft",
  "pending",
  "deferred",
  "writing",
  "written",
  "sending",
  "sent",
  "uncertain",
  "failed",
  "rejected",
  "recovered",
  "suppressed",
  "held_out",
];

export function isClientState(text: unknown): text is ClientState {
  return typeof text === "string" && Object.hasOwn(CLIENT_STATES, text);
}

export function isEmailState(text: unknown): text is EmailState {
  return typeof text === "string" && Object.hasOwn(EMAIL_STATES, text);
}
