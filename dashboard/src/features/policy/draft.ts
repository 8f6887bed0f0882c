// Pure: a policy while somebody works on it: what stands in the fields, and what is wrong with it.
import type { ShopPolicy } from "./document.ts";
import { clock } from "./document.ts";
import { FIELDS, shownOf, valueAt, type Field, type Path } from "./fields.ts";

export interface Draft {
  /** What stands in the fields, in the units that are shown; it may be no number yet. */
  numbers: Record<Path, string>;
  autoApprove: boolean;
  quiet: { on: boolean; begin: string; end: string };
}

export type Problems = Partial<Record<Path | "quiet", string>>;

export function draftOf(document: ShopPolicy): Draft {
  const hours = document.emails.quiet_hours ?? null;
  const numbers = Object.fromEntries(
    FIELDS.map((field) => [field.path, String(shownOf(valueAt(document, field.path), field))]),
  ) as Record<Path, string>;
  return {
    numbers,
    autoApprove: document.auto_approve,
    quiet: {
      on: hours !== null,
      begin: clock(hours?.begin ?? "21:00"),
      end: clock(hours?.end ?? "08:00"),
    },
  };
}

/** Read a number as people write it; null when it is none. */
export function numberOf(text: string): number | null {
  const plain = text.trim().replace(",", ".");
  return /^-?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : null;
}

function problemOf(field: Field, text: string): string | null {
  const value = numberOf(text);
  if (value === null) return "Enter a number.";
  if (field.whole === true && !Number.isInteger(value)) return "Enter a whole number.";
  const [low, high] = field.bounds;
  if (field.isOpen === true && (value <= low || value >= high)) {
    // The exit factor may be 2, as the API has it; only its lower bound is out.
    if (!(field.path === "exit_factor" && value === high)) {
      return `Must be above ${low} and ${field.path === "exit_factor" ? "at most" : "below"} ${high}.`;
    }
  }
  if (value < low || value > high) return `Must be from ${low} to ${high}.`;
  return null;
}

export function problemsOf(draft: Draft): Problems {
  const problems: Problems = {};
  for (const field of FIELDS) {
    const problem = problemOf(field, draft.numbers[field.path]);
    if (problem !== null) problems[field.path] = problem;
  }
  const silence = numberOf(draft.numbers.silence_max_days);
  const lapse = numberOf(draft.numbers.lapse_days);
  if (silence !== null && lapse !== null && silence >= lapse) {
    problems.silence_max_days ??= `Must be below the lapse of ${lapse} days, or clients lapse without an email.`;
    problems.lapse_days ??= `Must be above the longest silence of ${silence} days.`;
  }
  const { on, begin, end } = draft.quiet;
  if (on && (begin === "" || end === "")) problems.quiet = "Enter both times.";
  else if (on && begin === end) {
    problems.quiet = "Begin and end must differ. Turn quiet hours off for none.";
  }
  return problems;
}

export function isFine(problems: Problems): boolean {
  return Object.keys(problems).length === 0;
}

/** The policy that the draft makes of another; what a person does not set stays as it is. */
export function documentOf(base: ShopPolicy, draft: Draft): ShopPolicy {
  const document: ShopPolicy = { ...base, emails: { ...base.emails } };
  for (const field of FIELDS) {
    const shown = numberOf(draft.numbers[field.path]);
    if (shown === null || shown === shownOf(valueAt(base, field.path), field)) continue;
    const value = Number((shown / field.scale).toPrecision(12));
    if (field.path === "emails.cap_days") document.emails.cap_days = value;
    else if (field.path === "emails.release_per_minute") document.emails.release_per_minute = value;
    else if (field.path === "emails.effect_days") document.emails.effect_days = value;
    else document[field.path] = value;
  }
  document.auto_approve = draft.autoApprove;
  const { on, begin, end } = draft.quiet;
  const was = base.emails.quiet_hours ?? null;
  const isSame = was !== null && clock(was.begin) === begin && clock(was.end) === end;
  document.emails.quiet_hours = !on ? null : isSame ? was : { begin, end };
  return document;
}

type Scoring = Omit<ShopPolicy, "emails" | "version">;

/** The rules of the score in which a policy differs: what a what-if is asked about. */
export function trialOf(base: ShopPolicy, tried: ShopPolicy): Partial<Scoring> {
  return Object.fromEntries(
    Object.entries(tried).filter(
      ([name, value]) =>
        name !== "emails" &&
        name !== "version" &&
        JSON.stringify(value) !== JSON.stringify(base[name as keyof ShopPolicy]),
    ),
  );
}

/** Put the changes that a draft made to one policy onto another. */
export function rebased(draft: Draft, from: ShopPolicy, onto: ShopPolicy): Draft {
  const [old, fresh] = [draftOf(from), draftOf(onto)];
  const numbers = Object.fromEntries(
    FIELDS.map(({ path }) => [
      path,
      draft.numbers[path] === old.numbers[path] ? fresh.numbers[path] : draft.numbers[path],
    ]),
  ) as Record<Path, string>;
  const isQuietSame = JSON.stringify(draft.quiet) === JSON.stringify(old.quiet);
  return {
    numbers,
    autoApprove: draft.autoApprove === old.autoApprove ? fresh.autoApprove : draft.autoApprove,
    quiet: isQuietSame ? fresh.quiet : draft.quiet,
  };
}
