// Pure: what someone typed into a form of operations, as the API takes it; or what is wrong with it.
import type { BackfillInput, ReplayInput } from "./shapes.ts";

export const CLIENTS_MAX = 10_000;

export class Unfit extends Error {
  override readonly name = "Unfit";
}

/** The start of a day in the viewer's zone, as the API takes a time; `after` days later. */
function startOf(day: string, after = 0): string {
  const at = new Date(`${day}T00:00`);
  if (Number.isNaN(at.getTime())) throw new Unfit("Say both days.");
  at.setDate(at.getDate() + after);
  return at.toISOString();
}

/** From the beginning of one day to the end of another. Throws Unfit. */
export function timeOf(from: string, to: string): { begin: string; end: string } {
  const [begin, end] = [startOf(from), startOf(to, 1)];
  if (begin >= end) throw new Unfit("The first day is after the last.");
  return { begin, end };
}

/** Client ids, apart by commas, spaces or lines. Throws Unfit. */
export function idsOf(text: string): number[] {
  const words = text.split(/[\s,;]+/).filter((word) => word !== "");
  const wrong = words.find((word) => !/^\d{1,15}$/.test(word) || Number(word) < 1);
  if (wrong !== undefined) throw new Unfit(`“${wrong.slice(0, 20)}” is no client’s number.`);
  const ids = [...new Set(words.map(Number))].sort((one, other) => one - other);
  if (ids.length === 0) throw new Unfit("Name at least one client.");
  if (ids.length > CLIENTS_MAX) throw new Unfit("That is more than 10,000 clients: use a backfill.");
  return ids;
}

export interface BackfillForm {
  table: string;
  rows: string;
  from: string;
  to: string;
  where: string;
}

/** Throws Unfit. */
export function backfillOf({ table, rows, from, to, where }: BackfillForm): BackfillInput {
  if (table !== "clients" && table !== "orders") throw new Unfit("Choose a table.");
  if (rows === "time" && table === "orders") {
    const { begin, end } = timeOf(from, to);
    return { table, where: `ordered_at >= '${begin}' and ordered_at < '${end}'` };
  }
  if (rows === "condition") {
    if (where.trim() === "") throw new Unfit("Say which rows.");
    return { table, where: where.trim() };
  }
  return { table, where: null };
}

export interface ReplayForm {
  who: string;
  ids: string;
  from: string;
  to: string;
}

/** Throws Unfit. */
export function replayOf({ who, ids, from, to }: ReplayForm): ReplayInput {
  if (who === "ids") return { client_ids: idsOf(ids) };
  const { begin, end } = timeOf(from, to);
  return { ordered_from: begin, ordered_before: end };
}
