// One batch of rows to the API, as newline-delimited JSON both ways, so that every refusal is named.
import { respond } from "../../../api/client.ts";
import { ProblemError } from "../../../api/problem.ts";
import type { BatchAnswer, Send } from "./bulkLoad.ts";
import type { Kind } from "./fields.ts";

/** What a run is for: a check writes nothing. */
export type Phase = "check" | "load";

const NDJSON = "application/x-ndjson";
/** A batch takes longer than a usual request while the database is busy. */
const LIMIT_MS = 60_000;

interface Line {
  line?: number;
  detail?: string;
  accepted?: number;
  rejected?: number;
}

/** Read an answer: a line for each refused row, and at last the counts, without which it is cut off. */
export function answerOf(text: string): BatchAnswer {
  const lines = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
  const counts = lines.pop();
  if (counts?.accepted === undefined || counts.rejected === undefined) {
    throw new ProblemError("protocol", 200, "The answer was cut off");
  }
  const errors = lines.map(({ line = 0, detail = "was refused" }) => ({ line, detail }));
  return { accepted: counts.accepted, rejected: counts.rejected, errors };
}

export function sendTo(kind: Kind, phase: Phase): Send {
  const path = `/api/${kind}/bulk${phase === "check" ? "?dry_run=true" : ""}`;
  return async (bodies) => {
    const response = await respond(path, {
      method: "POST",
      body: bodies.map((body) => `${JSON.stringify(body)}\n`).join(""),
      headers: { "content-type": NDJSON, accept: `${NDJSON}, application/problem+json` },
      timeoutMs: LIMIT_MS,
    });
    return answerOf(await response.text());
  };
}
