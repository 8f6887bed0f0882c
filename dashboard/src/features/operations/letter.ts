// Pure: a dead letter as it may be shown. A record that did not pass may hold anything, so only
// fields whose names are known to be harmless show their values.
import { MASK } from "../../shared/ui/Masked.tsx";
import type { Letter } from "./shapes.ts";

export interface LetterFact {
  name: string;
  value: string;
}

const HEADERS = ["reason", "detail", "attempt", "parked_at", "service", "topic", "partition", "offset"];

/** Ids, versions, times and words of our own; a number of money is the shop's, not a person's. */
const HARMLESS = new Set([
  ..."id client_id order_id episode_id entity type kind op version generation policy_version".split(" "),
  ..."status state reason cause outcome currency amount day as_of at ts_ms lsn txId".split(" "),
  ..."ordered_at created_at updated_at crossing_day last_order_day schema table db deleted".split(" "),
]);

/** Long numbers and codes among ids are shown; a text with a space or an @ is not an id. */
const PLAIN = /^[\w.:+\-/]{1,64}$/;

export function headersOf(letter: Letter): LetterFact[] {
  return HEADERS.flatMap((name) => {
    const value = letter.headers[name];
    return value === undefined ? [] : [{ name: name.replace("_", " "), value }];
  });
}

export function reasonOf(letter: Letter): string {
  return letter.headers["reason"] ?? "unknown";
}

/** The record's key, where it is an id. */
export function keyOf(letter: Letter): string {
  if (letter.key === null) return "none";
  // As on the lanes: "42/client", "42/order/7".
  if (/^\d+(\/[a-z]+)?(\/\d+)?$/.test(letter.key)) return letter.key;
  try {
    return shapeOf(JSON.parse(letter.key), 0);
  } catch {
    return "hidden";
  }
}

/** The record with every value hidden that might be about a person. */
export function valueOf(letter: Letter): string {
  if (letter.value === null || letter.value === undefined) return "nothing: a removal";
  return shapeOf(letter.value, 0);
}

const DEPTH_MAX = 6;
const FIELDS_MAX = 40;

function shapeOf(value: unknown, depth: number): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value !== "object" || value === null) return hiddenOf(value);
  if (depth >= DEPTH_MAX) return "…";
  const pad = "  ".repeat(depth + 1);
  const entries = Object.entries(value as Record<string, unknown>);
  const lines = entries
    .slice(0, FIELDS_MAX)
    .map(([name, one]) => `${pad}${PLAIN.test(name) ? name : "…"}: ${fieldOf(name, one, depth)}`);
  if (entries.length > FIELDS_MAX) lines.push(`${pad}…`);
  return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
}

function fieldOf(name: string, value: unknown, depth: number): string {
  if (typeof value === "object" && value !== null) return shapeOf(value, depth + 1);
  if (!HARMLESS.has(name)) return hiddenOf(value);
  if (typeof value === "string") return PLAIN.test(value) ? value : hiddenOf(value);
  return String(value);
}

function hiddenOf(value: unknown): string {
  if (value === null) return "null";
  // The server hid it already, with its length and type: the token lacks pii:read.
  if (value === MASK) return "hidden";
  if (typeof value === "string") return `text of ${value.length} characters, hidden`;
  return `${typeof value}, hidden`;
}
