// Pure: the steps of an email's path from the score to the letter box.
import { count, money, percent, plural, signed } from "../../../shared/format.ts";
import { EMAIL_STATES } from "../../../shared/states.ts";
import { RULES } from "../words.ts";
import type { Fact, Lineage, Step } from "./shapes.ts";

/** The steps from the score on, which all orders lead to. */
export function mainSteps(lineage: Lineage): Step[] {
  return [
    ...scoreSteps(lineage),
    promptStep(lineage),
    ...lineage.calls.map(callStep),
    checksStep(lineage),
    writtenStep(lineage),
    ...lineage.decisions.map(decisionStep),
    sentStep(lineage),
  ].filter((step) => step !== null);
}

function scoreSteps({ score, policy, email }: Lineage): Step[] {
  if (score === null) return [];
  const { intercept, frequency, value, recency } = score.parts;
  const worth = score.value_at_risk;
  return [
    {
      id: "score",
      title: "Score",
      about:
        score.cause === "silence"
          ? "Silent for longer than the policy allows."
          : `${percent(score.score)} chance of an order, at or below the ${percent(score.entry)} at which this client counts as at risk.`,
      facts: [
        { name: "As of", value: score.day, kind: "day" },
        { name: "Score", value: score.score.toFixed(4) },
        { name: "Entry", value: score.entry.toFixed(4) },
        { name: "Intercept", value: signed(intercept) },
        { name: "Frequency", value: signed(frequency) },
        { name: "Value", value: signed(value) },
        { name: "Recency", value: signed(recency) },
        { name: "Policy", value: `version ${policy.version}` },
        { name: "Generation", value: String(score.generation) },
      ],
      verified: null,
      tone: "done",
    },
    {
      id: "episode",
      title: "Episode",
      about: "The client fell at risk, and this silence got one episode: never a second email.",
      facts: [
        { name: "Episode", value: email.episode_id, kind: "id" },
        { name: "Fell at risk", value: score.crossing_day, kind: "day" },
        { name: "Last order", value: score.last_order_day, kind: "day" },
        { name: "Opened as of", value: score.as_of, kind: "time" },
        { name: "Worth at risk", value: money(Number(worth.amount), worth.currency) },
      ],
      verified: null,
      tone: "done",
    },
  ];
}

function promptStep({ email, facts_used }: Lineage): Step | null {
  const text = email.email;
  if (text === null) return null;
  return {
    id: "prompt",
    title: "Prompt",
    about:
      facts_used.length === 0
        ? "The text says that it used none of the facts."
        : `The text says that it used: ${facts_used.join(", ").replaceAll("_", " ")}.`,
    facts: [
      { name: "Prompt version", value: text.prompt_version },
      { name: "Prompt hash", value: text.prompt_hash, kind: "id" },
    ],
    verified: null,
    tone: "done",
  };
}

function callStep(call: Lineage["calls"][number], index: number): Step {
  return {
    id: `call-${index}`,
    title: `Model call ${index + 1}`,
    about: about(call.outcome),
    facts: [
      { name: "Model", value: call.model },
      ...(call.provider === null ? [] : [{ name: "Provider", value: call.provider }]),
      ...(call.generation_id === null
        ? []
        : [{ name: "Generation", value: call.generation_id, kind: "id" } satisfies Fact]),
      { name: "Tokens in", value: countOr(call.prompt_tokens) },
      { name: "Tokens out", value: countOr(call.completion_tokens) },
      { name: "Cost", value: call.cost === null ? "not told" : money(call.cost.amount, call.cost.currency) },
      { name: "Took", value: `${count(call.latency_ms)} ms` },
      { name: "At", value: call.at, kind: "time" },
    ],
    verified: null,
    tone: TEXTS[call.outcome]?.tone ?? "ended",
  };
}

/** What came of a call, by what the mailer writes of it; all else came to nothing. */
const TEXTS: Partial<Record<string, { about: string; tone: Step["tone"] }>> = {
  accepted: { about: "The model answered with a text, and it was kept.", tone: "done" },
  answered: { about: "The model answered with a text, which is being checked.", tone: "open" },
  "in flight": { about: "The model has not answered yet.", tone: "open" },
};
const DISCARDED = "discarded: ";

function about(outcome: string): string {
  if (outcome.startsWith(DISCARDED)) {
    return `The model answered with a text that was no longer wanted: ${outcome.slice(DISCARDED.length)}.`;
  }
  return TEXTS[outcome]?.about ?? `It gave no usable text: ${outcome}.`;
}

function countOr(value: number | null): string {
  return value === null ? "not told" : count(value);
}

function checksStep({ checks }: Lineage): Step | null {
  const { passed, broken } = checks;
  if (passed.length === 0 && broken.length === 0) return null;
  return {
    id: "checks",
    title: "Checks",
    about:
      broken.length === 0
        ? `The text passed ${plural(passed.length, "check")}.`
        : `${plural(broken.length, "text")} did not pass; ${passed.length === 0 ? "none did" : `the one that was kept passed ${plural(passed.length, "check")}`}.`,
    facts: [
      ...(passed.length === 0 ? [] : [{ name: "Passed", value: passed.join(", ") }]),
      ...broken.map((rules, index) => ({
        name: `Text ${index + 1} broke`,
        value: rules
          .split(", ")
          .map((rule) => (Object.hasOwn(RULES, rule) ? `${rule} (${RULES[rule] ?? ""})` : rule))
          .join("; "),
      })),
    ],
    verified: null,
    tone: passed.length === 0 ? "ended" : "done",
  };
}

function writtenStep({ email, written_as_of }: Lineage): Step {
  const { state, email: text } = email;
  return {
    id: "row",
    title: "Row of the email",
    about: `Its state now: ${EMAIL_STATES[state].name.toLowerCase()}. ${EMAIL_STATES[state].meaning}`,
    facts: [
      ...(text === null
        ? []
        : [
            { name: "Hash of the text", value: text.draft_hash, kind: "id" } satisfies Fact,
            { name: "Stored", value: text.created_at, kind: "time" } satisfies Fact,
          ]),
      ...(written_as_of === null
        ? []
        : [{ name: "Final as of", value: written_as_of, kind: "time" } satisfies Fact]),
    ],
    verified: null,
    tone: text === null ? "open" : "done",
  };
}

function decisionStep(decision: Lineage["decisions"][number]): Step {
  const { id, action, actor, outcome, outcome_reason, created_at } = decision;
  return {
    id: `decision-${id}`,
    title: `Decision: ${action}`,
    about: outcome === null ? "Waits for the mailer." : (outcome_reason ?? outcome),
    facts: [
      { name: "Decision", value: String(id), kind: "id" },
      { name: "By", value: actor },
      { name: "At", value: created_at, kind: "time" },
    ],
    verified: null,
    tone: outcome === null ? "open" : outcome === "refused" ? "ended" : "done",
  };
}

function sentStep({ deliveries, email }: Lineage): Step {
  const last = deliveries.at(-1);
  return {
    id: "sent",
    title: "Delivery",
    about:
      last === undefined
        ? "Nothing was handed to a mail server."
        : `${plural(deliveries.length, "attempt")}; the last one: ${last.outcome}.`,
    facts: deliveries.flatMap((delivery): Fact[] => [
      { name: "Message", value: delivery.message_id, kind: "id" },
      { name: "Began", value: delivery.began_at, kind: "time" },
      ...(delivery.ended_at === null
        ? []
        : [{ name: "Ended", value: delivery.ended_at, kind: "time" } satisfies Fact]),
      ...(delivery.status_code === null
        ? []
        : [{ name: "Answer", value: String(delivery.status_code) }]),
    ]),
    verified: null,
    tone: email.state === "sent" ? "done" : "open",
  };
}
