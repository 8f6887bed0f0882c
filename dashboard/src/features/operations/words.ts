// Pure: runs, hops and effects of operations in words.
import { count, plural, seconds } from "../../shared/format.ts";
import type { BackfillPreview, ReplayPreview, Run, StatusHop } from "./shapes.ts";

const UNCHANGED = "Scores that are right stay as they are, and no email is written twice.";

const KINDS: Record<string, string> = {
  backfill: "Backfill",
  replay: "Replay",
  "dead-letter-replay": "Dead letters sent again",
  "what-if": "What-if",
  erasure: "Erasure",
};

export function kindWords(kind: string): string {
  return KINDS[kind] ?? kind;
}

/** What was asked for, in short. */
export function askedWords({ kind, parameters }: Run): string {
  const { table, where, clients, topic, offset } = parameters;
  if (kind === "backfill") {
    return `${String(table)}: ${typeof where === "string" ? where : "every row"}`;
  }
  if (kind === "replay" && Array.isArray(clients)) {
    return clients.length === 1 ? `client ${String(clients[0])}` : plural(clients.length, "client");
  }
  if (kind === "dead-letter-replay") {
    return typeof offset === "number"
      ? `${String(topic)}, letter ${offset}`
      : `${String(topic)}, all that wait`;
  }
  return "";
}

function numberIn(result: Record<string, unknown>, name: string): number {
  const value = result[name];
  return typeof value === "number" ? value : 0;
}

/** How a run ended; what a kind that is not known here gave is not guessed at. */
export function outcomeWords(run: Run): string {
  if (run.state === "failed") return run.error ?? "It failed, and no reason was given.";
  const { result } = run;
  if (result === null) return "It ended.";
  const took = typeof result["seconds"] === "number" ? ` in ${seconds(result["seconds"] * 1000)}` : "";
  const said = (text: string): string => `${text}${took}.`;
  if (run.kind === "backfill") return said(`${plural(numberIn(result, "rows"), "row")} read and sent`);
  if (run.kind === "replay") {
    return said(
      `${plural(numberIn(result, "records"), "record")} of ${plural(numberIn(result, "clients"), "client")} sent`,
    );
  }
  if (run.kind === "dead-letter-replay") {
    const left = Array.isArray(result["left"]) ? result["left"].length : 0;
    const rest = left === 0 ? "" : `; ${plural(left, "letter")} ${left === 1 ? "stays" : "stay"}, nothing can be done here`;
    return said(`${plural(numberIn(result, "replayed"), "letter")} made up for${rest}`);
  }
  return said("Done");
}

/** The letters that a run could do nothing about: which and why. */
export function leftOver(run: Run): { offset: number; why: string }[] {
  const left = run.result?.["left"];
  if (!Array.isArray(left)) return [];
  return left.filter(
    (one: unknown): one is { offset: number; why: string } =>
      typeof one === "object" && one !== null && "offset" in one && "why" in one,
  );
}

export function progressWords(run: Run): string {
  const done = run.total === null ? count(run.done) : `${count(run.done)} of ${count(run.total)}`;
  return run.step === "" ? "is about to begin" : `${run.step}: ${done}`;
}

export function backfillEffect({ table, rows }: BackfillPreview): string {
  if (rows === 0) return `No row of ${table} matches, so nothing would be asked for.`;
  return (
    `${plural(rows, "row")} of ${table} match now. They are read in Postgres again and sent to the ` +
    `scorer, while live changes go on. ${UNCHANGED}`
  );
}

export function replayEffect({ clients, orders }: ReplayPreview): string {
  return (
    `${plural(clients, "client")} and their ${plural(orders, "order")}, ` +
    `${plural(clients + orders, "record")} in all, are sent to the scorer once more as they stand in ` +
    `Postgres now. ${UNCHANGED}`
  );
}

export function letterEffect(topic: string, waiting: number, offset: number | null): string {
  const which =
    offset === null
      ? `${plural(waiting, "dead letter")} of ${topic} ${waiting === 1 ? "waits" : "wait"}. `
      : `One dead letter of ${topic}, number ${offset}. `;
  return (
    `${which}Not the old record is sent, but the row that it was about as it stands in Postgres now. ` +
    `${UNCHANGED} ` +
    (offset === null
      ? "A letter that nothing can be done about stays, and the run says why."
      : "It goes on being counted as waiting, until all of its topic are sent again.")
  );
}

/** What waits before a reader; "unknown" where nobody could say. */
export function hopWords(hop: StatusHop): string {
  if (hop.records === 0) return "nothing";
  const parts = [
    hop.records === null ? null : `${hop.exact ? "" : "≤ "}${plural(hop.records, "record")}`,
    hop.records === null && hop.behind_bytes != null ? `${count(hop.behind_bytes)} bytes` : null,
    hop.seconds === null ? null : hop.seconds < 1 ? "<1 s" : `${count(hop.seconds)} s`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? "unknown" : parts.join(", ");
}
