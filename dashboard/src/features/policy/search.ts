// Pure: what the address says about the page of the policy: the values tried, and what is compared.
import { textOf } from "../../shared/search.ts";
import { draftOf, numberOf, type Draft } from "./draft.ts";
import type { ShopPolicy } from "./document.ts";
import { FIELDS, type Path } from "./fields.ts";

export interface PolicySearch {
  /** The values tried, such as "theta=40,quiet=21:00-08:00". */
  try?: string;
  /** The cost of an email in the shop's currency. */
  cost?: string;
  /** The versions whose differences are shown. */
  from?: number;
  to?: number;
  /** The run over the whole history that is shown. */
  run?: number;
}

const TRY_MAX = 500;
const HOURS = /^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/;

/** A version or a run: both are counted from 1. */
function ordinalOf(value: unknown): number | null {
  const ordinal = Number(textOf(value));
  return Number.isSafeInteger(ordinal) && ordinal > 0 ? ordinal : null;
}

export function readPolicySearch(search: Record<string, unknown>): PolicySearch {
  const tried = textOf(search["try"]).slice(0, TRY_MAX);
  const cost = numberOf(textOf(search["cost"]));
  const from = ordinalOf(search["from"]);
  const to = ordinalOf(search["to"]);
  const run = ordinalOf(search["run"]);
  return {
    ...(tried === "" ? {} : { try: tried }),
    ...(cost === null || cost < 0 ? {} : { cost: String(cost) }),
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
    ...(run === null ? {} : { run }),
  };
}

function isPath(name: string): name is Path {
  return FIELDS.some((field) => field.path === name);
}

/** The draft that an address stands for; what is unreadable in it is passed over. */
export function draftFrom(tried: string | undefined, base: ShopPolicy): Draft {
  const draft = draftOf(base);
  for (const pair of (tried ?? "").split(",")) {
    const [name = "", value = ""] = pair.split("=");
    if (isPath(name) && numberOf(value) !== null) draft.numbers[name] = value;
    else if (name === "approve") draft.autoApprove = value !== "person";
    else if (name === "quiet" && value === "none") draft.quiet.on = false;
    else if (name === "quiet" && HOURS.test(value)) {
      const [begin = "", end = ""] = value.split("-");
      draft.quiet = { on: true, begin, end };
    }
  }
  return draft;
}

/** What of a draft differs from the policy in force, for the address. */
export function tryOf(draft: Draft, base: ShopPolicy): string | undefined {
  const old = draftOf(base);
  const pairs = FIELDS.filter(
    ({ path }) => draft.numbers[path] !== old.numbers[path] && numberOf(draft.numbers[path]) !== null,
  ).map(({ path }) => `${path}=${numberOf(draft.numbers[path]) ?? ""}`);
  if (draft.autoApprove !== old.autoApprove) {
    pairs.push(`approve=${draft.autoApprove ? "checks" : "person"}`);
  }
  const { on, begin, end } = draft.quiet;
  if (JSON.stringify(draft.quiet) !== JSON.stringify(old.quiet)) {
    pairs.push(on ? `quiet=${begin}-${end}` : "quiet=none");
  }
  return pairs.length === 0 ? undefined : pairs.join(",");
}
