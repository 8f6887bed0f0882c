// Pure: the shapes of policies, and how two of them differ.
import type { components } from "../../api/schema.gen.ts";

type Schemas = components["schemas"];

export type ShopPolicy = Schemas["ShopPolicy"];
export type PolicyRow = Schemas["PolicyRow"];
export type PolicyPreview = Schemas["PolicyPreview"];
export type Side = Schemas["Side"];

type Leaf = string | number | boolean | null;

export interface Change {
  path: string;
  name: string;
  before: string;
  after: string;
}

const NAMES: Readonly<Record<string, string>> = {
  theta: "Entry",
  rho: "Entry for weaker clients",
  exit_factor: "Exit",
  silence_max_days: "Longest silence",
  lapse_days: "Lapse",
  hold_after_days: "Hold for a person",
  holdout_percent: "Comparison group",
  auto_approve: "Approval",
  horizon_days: "Horizon of the score",
  half_life_days: "Half-life of orders",
  gap_prior_days: "Usual gap of the shop",
  ahead_days: "Orders ahead of time",
  "weights.intercept": "Weight: intercept",
  "weights.frequency": "Weight: frequency",
  "weights.value": "Weight: value",
  "weights.recency": "Weight: recency",
  "emails.cap_days": "Days between emails",
  "emails.release_per_minute": "Released per minute",
  "emails.effect_days": "Window of the effect",
  "emails.quiet_hours": "Quiet hours",
};

/** "21:00:00" as people read it. */
export function clock(time: string): string {
  return time.slice(0, 5);
}

export function quietText(hours: Schemas["QuietHours"] | null | undefined): string {
  return hours == null ? "none" : `${clock(hours.begin)} to ${clock(hours.end)}`;
}

function textOf(path: string, value: Leaf): string {
  if (value === null) return "none";
  if (path === "auto_approve") return value === true ? "by the checks alone" : "by a person";
  if (typeof value !== "number") return String(value);
  if (path === "theta" || path === "rho") return `${Number((value * 100).toPrecision(12))} %`;
  if (path === "holdout_percent") return `${value} %`;
  if (path === "exit_factor") return `× ${value}`;
  return path.endsWith("_days") ? `${value} ${value === 1 ? "day" : "days"}` : String(value);
}

function leavesOf(document: ShopPolicy): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  function put(prefix: string, group: object): void {
    for (const [name, value] of Object.entries(group) as [string, unknown][]) {
      const path = `${prefix}${name}`;
      if (path === "emails.quiet_hours") leaves.set(path, quietText(document.emails.quiet_hours));
      else if (typeof value === "object" && value !== null) put(`${path}.`, value);
      else leaves.set(path, value as Leaf);
    }
  }
  put("", document);
  // Left out means none, as null does.
  leaves.set("emails.quiet_hours", quietText(document.emails.quiet_hours));
  leaves.delete("version");
  return leaves;
}

/** What differs between two policies besides their versions, by name. */
export function changesBetween(before: ShopPolicy, after: ShopPolicy): Change[] {
  const [old, fresh] = [leavesOf(before), leavesOf(after)];
  return [...fresh].flatMap(([path, value]) => {
    const was = old.get(path) ?? null;
    if (was === value) return [];
    return [
      { path, name: NAMES[path] ?? path, before: textOf(path, was), after: textOf(path, value) },
    ];
  });
}
