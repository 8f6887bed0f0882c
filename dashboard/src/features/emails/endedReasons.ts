// Pure: the reasons of emails that are final, sent or ended, as services/mailer gives them.
import type { EmailState } from "../../api/types.ts";
import { BY_ITSELF, ENDED, untilOf, type Known } from "./known.ts";
import { rulesInWords } from "./words.ts";

const GONE: Known[] = [
  {
    match: /^the client does not consent$/,
    why: () => "The client does not agree to be written to.",
    todo: "Only the client can change that: consent is on the client’s page.",
  },
  {
    match: /^the client's address is suppressed$/,
    why: () => "The client’s address has unsubscribed or was put on the list of addresses to spare.",
    todo: ENDED,
  },
  {
    match: /^(the client was erased|its text was erased|erased by a person)$/,
    why: () => "The client’s data was erased, and the text with it.",
    todo: ENDED,
  },
];

export const FINAL: Partial<Record<EmailState, Known[]>> = {
  written: [
    {
      match: /^quiet hours/,
      why: (row) => `The text is final; it is a quiet hour where the client lives, so it waits. It goes on ${untilOf(row)}.`,
      todo: BY_ITSELF,
    },
    {
      match: /^not sent yet: (.+)$/,
      why: (_, [what]) => `The text is final, but the mail server would not take it yet: ${what ?? ""}.`,
      todo: "It is tried again by itself. If this goes on, someone must look at the mail server.",
    },
    {
      match: /^approved by policy (\d+)$/,
      why: (_, [version]) => `The text passed every check, and policy ${version ?? ""} approves such texts by itself.`,
      todo: "Nothing to do. Where delivery is on, it is sent in its turn.",
    },
    {
      match: /^approved by a person$/,
      why: () => "A person approved the text, and it is final.",
      todo: "Nothing to do. Where delivery is on, it is sent in its turn.",
    },
    {
      match: /final once before/,
      why: () => "The text was final before and is kept: no client gets two texts about the same silence.",
      todo: "Nothing to do. Where delivery is on, it is sent in its turn.",
    },
  ],
  sending: [
    { match: /./, why: () => "The mail server has it now.", todo: "Look again in a few seconds." },
  ],
  sent: [
    {
      match: /^sent, as a person found out$/,
      why: () => "A person found out that it arrived.",
      todo: ENDED,
    },
    { match: /./, why: () => "The mail server took it.", todo: ENDED },
  ],
  uncertain: [
    {
      match: /./,
      why: (row) => `Nobody knows whether it arrived: ${row.reason}.`,
      todo: "Find out from the mail server’s log or the client, then say whether it arrived. It is never sent twice by itself.",
    },
  ],
  recovered: [
    {
      match: /^an order was counted( since)?$/,
      why: () => "The client ordered again, so no email is needed.",
      todo: ENDED,
    },
    {
      match: /too long ago to write unasked/,
      why: () => "The client is silent again, but fell at risk too long ago to write without asking you.",
      todo: "Release it if an email still makes sense today.",
    },
    {
      match: /^the score rose/,
      why: () => "Late or corrected orders lifted the client’s score, so no email is needed.",
      todo: ENDED,
    },
  ],
  suppressed: [
    ...GONE,
    {
      match: /frequency cap will not pass/,
      why: () => "The client had an email so recently that the next one would come after they have lapsed.",
      todo: "Nothing to do. How often a client may get an email is part of the policy.",
    },
    {
      match: /no address that emails can be sent to/,
      why: () => "The client has no email address that can be written to.",
      todo: "Enter an address on the client’s page; it counts from the next silence on.",
    },
    {
      match: /too long ago to be sent/,
      why: () => "The text became final too long ago to be sent.",
      todo: ENDED,
    },
    {
      match: /^the server refused (.+)$/,
      why: (_, [what]) => `The mail server refused ${what ?? "it"}.`,
      todo: "Check the address on the client’s page; someone who runs the mail server can look up the code.",
    },
  ],
  rejected: [
    {
      match: /^rejected by a person$/,
      why: () => "A person read the draft and rejected it.",
      todo: "Retry it to have another text written.",
    },
    {
      match: /^no usable text in (\d+) tries: (.+)$/,
      why: (_, [tries, rules]) =>
        `The model tried ${tries ?? "several"} times, and the last text did not pass the checks: ${rulesInWords(rules ?? "")}.`,
      todo: "Retry it to have another text written, or let this client be.",
    },
    {
      match: /^(the model refused|the text was held back by a content filter)$/,
      why: () => "The model refused to write this text.",
      todo: "Look at the client’s style tags: something in them may offend. Then retry.",
    },
  ],
  failed: [
    {
      match: /^all attempts are used up: (.+)$/,
      why: (_, [what]) => `Every attempt was used up; the last one failed: ${what ?? ""}.`,
      todo: "Retry it: all attempts start anew.",
    },
    {
      match: /^(moderation|a guardrail) stopped the prompt \((.+)\)$/,
      why: (_, groups) => `A filter of the model’s provider stopped it (${groups[1] ?? ""}).`,
      todo: "Look at the client’s style tags: something in them may offend. Then retry.",
    },
    {
      match: /^the request was refused \((.+)\)$/,
      why: (_, [code]) => `The model’s provider refused the request with code ${code ?? ""}.`,
      todo: "Retry it once. If it fails again, give the code to someone who runs the system.",
    },
    {
      match: /^another (model|provider) answered/,
      why: () => "Another model answered than the one that was asked, so its text was not used.",
      todo: "Retry it. If it fails again, tell someone who runs the system.",
    },
    {
      match: /^not sent, as a person found out$/,
      why: () => "A person found out that it did not arrive.",
      todo: "Retry it to send the same text once more.",
    },
  ],
};
