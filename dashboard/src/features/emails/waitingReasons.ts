// Pure: the reasons of emails that are not final yet, as services/mailer gives them.
import type { EmailState } from "../../api/types.ts";
import { day } from "../../shared/format.ts";
import { BY_ITSELF, untilOf, type Known } from "./known.ts";

export const WAITING: Partial<Record<EmailState, Known[]>> = {
  held_out: [
    {
      match: /holdout/,
      why: () => "This client is in the comparison group that gets no email, to measure the effect.",
      todo: "Leave it so: writing to this client would spoil the comparison.",
    },
  ],
  held: [
    {
      match: /^released by a person/,
      why: () => "A person released it, and it waits for its turn, the most valuable first.",
      todo: BY_ITSELF,
    },
    {
      match: /too long ago to write unasked/,
      why: (row) =>
        `The client fell at risk on ${day(row.crossing_day)}, too long ago to write without asking you.`,
      todo: "Release it if an email still makes sense today. Otherwise leave it held.",
    },
  ],
  deferred: [
    {
      match: /^frequency cap: one email in (\d+) days/,
      why: (row, [days]) =>
        `The client had an email less than ${days ?? "some"} days ago, so this one waits. It goes on ${untilOf(row)}.`,
      todo: "Nothing to do. How often a client may get an email is part of the policy.",
    },
    {
      match: /^quiet hours/,
      why: (row) => `It is a quiet hour where the client lives. It goes on ${untilOf(row)}.`,
      todo: "Nothing to do. The quiet hours are part of the policy.",
    },
    {
      match: /time zone is unknown/,
      why: (row) =>
        `The client’s time zone is unknown, so quiet hours cannot be kept. It is looked at again ${untilOf(row)}.`,
      todo: "Correct the time zone on the client’s page.",
    },
  ],
  pending: [
    {
      match: /^paused: (.+)$/,
      why: (_, [what]) => `Writing is paused for all emails: ${what ?? ""}.`,
      todo: "It keeps its place and costs no attempt. Someone who runs the system must look at the model’s account.",
    },
    {
      match: /^waits for the budget: (.+)$/,
      why: (_, [what]) => `The budget for writing is used up: ${what ?? ""}.`,
      todo: "Nothing to do: it goes on when there is budget again.",
    },
    {
      match: /^fell at risk$/,
      why: () => "The client has just fallen at risk, and the email waits to be written.",
      todo: BY_ITSELF,
    },
    {
      match: /^fell at risk again/,
      why: () => "The client fell at risk again without an order in between; the email waits its turn.",
      todo: BY_ITSELF,
    },
    {
      match: /^its time has come$/,
      why: () => "What kept it back has passed, and it waits to be written.",
      todo: BY_ITSELF,
    },
    {
      match: /^to be tried again by a person$/,
      why: () => "A person asked to try it again, and it waits to be written.",
      todo: BY_ITSELF,
    },
    {
      match: /^(the worker's lease ran out|released: the mailer stops|the client changed meanwhile)$/,
      why: () => "Writing it was interrupted, and it waits to be written again.",
      todo: BY_ITSELF,
    },
  ],
  writing: [
    { match: /./, why: () => "The model is writing it now.", todo: "Look again in a few seconds." },
  ],
  draft: [
    {
      match: /passed the checks$/,
      why: () => "The text passed every check and waits for a person to read it.",
      todo: "Read it, then approve, edit or reject it.",
    },
  ],
};
