// One batch of rows to the API, as newline-delimited JSON both ways, so that every refusal is named.
import { respond } from "../../../api/client.ts";
import { isPassing, ProblemError } from "../../../api/problem.ts";
import type { BatchAnswer, Send } from "./bulkLoad.ts";
import type { Kind } from "./fields.ts";
import type { Body } from "./rows.ts";

/** What a run is for: a check writes nothing. */
export type Phase = "check" | "load";

const NDJSON = "application/x-ndjson";
/** A batch takes longer than a usual request while the database is busy. */
const LIMIT_MS = 60_000;
/** How often a batch is sent in all, under one key: whatever became of a try, it goes in once. */
const TRIES = 4;
const FIRST_PAUSE_MS = 1000;

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

/** Send a batch of a load again while its answer is lost; a check is simply made again by a person. */
export function sendTo(kind: Kind, phase: Phase, firstPauseMs = FIRST_PAUSE_MS): Send {
  if (phase === "check") return (bodies) => post(`/api/${kind}/bulk?dry_run=true`, bodies, {});
  return async (bodies) => {
    const key = { "idempotency-key": crypto.randomUUID() };
    for (let tried = 1; ; tried += 1) {
      try {
        return await post(`/api/${kind}/bulk`, bodies, key);
      } catch (error) {
        if (tried === TRIES || !isLost(error)) throw error;
        const pauseMs = firstPauseMs * 2 ** (tried - 1) * (0.5 + Math.random());
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  };
}

async function post(path: string, bodies: Body[], key: Record<string, string>): Promise<BatchAnswer> {
  const response = await respond(path, {
    method: "POST",
    body: bodies.map((body) => `${JSON.stringify(body)}\n`).join(""),
    headers: { "content-type": NDJSON, accept: `${NDJSON}, application/problem+json`, ...key },
    timeoutMs: LIMIT_MS,
  });
  return answerOf(await response.text().catch(() => ""));
}

/** Whether the batch may have gone in without our knowing. */
function isLost(error: unknown): boolean {
  return isPassing(error) || (error instanceof ProblemError && error.kind === "protocol" && error.status < 400);
}
