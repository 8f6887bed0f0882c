// Pure: the numbers of the policy that a person sets, with the bounds that the API puts on them.
import type { ShopPolicy } from "./document.ts";

export type Path =
  | "theta"
  | "rho"
  | "exit_factor"
  | "silence_max_days"
  | "lapse_days"
  | "hold_after_days"
  | "holdout_percent"
  | "emails.cap_days"
  | "emails.release_per_minute"
  | "emails.effect_days";

export interface Field {
  path: Path;
  name: string;
  unit: string;
  help: string;
  /** What the slider covers; the number beside it may go up to the API's own bounds. */
  slider: [number, number];
  step: number;
  bounds: [number, number];
  /** Whether the bounds themselves are out. */
  isOpen?: boolean;
  whole?: boolean;
  /** How many of the shown units make one of the policy's: 100 where a share is shown in percent. */
  scale: number;
}

const SHARE = { unit: "%", scale: 100, step: 1 } as const;
const DAYS = { unit: "days", scale: 1, step: 1, whole: true } as const;

export const RISK_FIELDS: readonly Field[] = [
  {
    ...SHARE,
    path: "theta",
    name: "Entry",
    help: "At risk once the chance of an order is this low or lower.",
    slider: [5, 95],
    bounds: [0, 100],
    isOpen: true,
  },
  {
    ...SHARE,
    path: "rho",
    name: "Entry for weaker clients",
    help: "…or once it is down to this share of what it was right after the last order.",
    slider: [10, 95],
    bounds: [0, 100],
    isOpen: true,
  },
  {
    path: "exit_factor",
    name: "Exit",
    unit: "× entry",
    help: "An episode closes without an order once the score is this many times the entry.",
    slider: [1.01, 2],
    step: 0.01,
    bounds: [1, 2],
    isOpen: true,
    scale: 1,
  },
  {
    ...DAYS,
    path: "silence_max_days",
    name: "Longest silence",
    help: "At risk after so many days without an order, whatever the score.",
    slider: [14, 365],
    bounds: [1, 3650],
  },
  {
    ...DAYS,
    path: "lapse_days",
    name: "Lapse",
    help: "Gone after so many days without an order: nobody is written to any more.",
    slider: [30, 730],
    bounds: [1, 3650],
  },
];

export const WHO_FIELDS: readonly Field[] = [
  {
    ...DAYS,
    path: "hold_after_days",
    name: "Hold for a person",
    help: "Who fell at risk longer ago than this is written to only when a person releases it.",
    slider: [0, 30],
    step: 0.5,
    whole: false,
    bounds: [0, 365],
  },
  {
    path: "holdout_percent",
    name: "Comparison group",
    unit: "%",
    help: "This share of clients gets no email, so that the effect can be measured.",
    slider: [0, 50],
    step: 1,
    bounds: [0, 50],
    scale: 1,
  },
];

export const PACE_FIELDS: readonly Field[] = [
  {
    ...DAYS,
    path: "emails.cap_days",
    name: "Days between emails",
    help: "No second email to a client within so many days; 0 for no cap.",
    slider: [0, 120],
    bounds: [0, 365],
  },
  {
    path: "emails.release_per_minute",
    name: "Released per minute",
    unit: "emails",
    help: "How many held-back emails go on within a minute, at most.",
    slider: [1, 600],
    step: 1,
    bounds: [1, 100_000],
    whole: true,
    scale: 1,
  },
  {
    ...DAYS,
    path: "emails.effect_days",
    name: "Window of the effect",
    help: "An order within so many days of falling at risk counts as a return.",
    slider: [7, 180],
    bounds: [1, 3650],
  },
];

export const FIELDS: readonly Field[] = [...RISK_FIELDS, ...WHO_FIELDS, ...PACE_FIELDS];

export function valueAt(document: ShopPolicy, path: Path): number {
  if (path === "emails.cap_days") return document.emails.cap_days;
  if (path === "emails.release_per_minute") return document.emails.release_per_minute;
  if (path === "emails.effect_days") return document.emails.effect_days;
  return document[path];
}

/** A policy's value in the units that are shown, without the dust of floating point. */
export function shownOf(value: number, { scale }: Field): number {
  return Number((value * scale).toPrecision(12));
}
