// Runs a file through the API in batches, for a check or for good, and keeps count.
import { ProblemError } from "../../../api/problem.ts";
import type { BulkResult } from "../../../api/types.ts";
import { readRows, type Table } from "./csvFile.ts";
import { bodyOf, problemsOf, type Body, type Reading, type Rejected, type SourceRow } from "./rows.ts";

/** Small enough that a cancel is soon heeded and progress is seen. */
export const BATCH_ROWS = 500;

export type BatchAnswer = Pick<BulkResult, "accepted" | "rejected" | "errors">;

/**
 * Send bodies; the lines of the answer count them from 1. A batch that is under way is not broken
 * off by a cancel, so that it is known what went in.
 */
export type Send = (bodies: Body[]) => Promise<BatchAnswer>;

export interface Progress {
  /** How much of the file has been read, from 0 to 1. */
  share: number;
  accepted: number;
  /** Grows in place while a run is under way. */
  rejected: readonly Rejected[];
}

/** How a run ended before its end: whatever was accepted stays. */
export interface Stopped {
  /** The first and last line of the batch of which it is not known whether it went in. */
  unknown: { from: number; to: number } | null;
  error: unknown;
}

export interface Outcome extends Progress {
  stopped: Stopped | null;
}

interface Run {
  file: File;
  table: Table;
  reading: Reading;
  /** Rows that an earlier run found wrong, by line: they are not sent. */
  known: ReadonlyMap<number, Rejected>;
  send: Send;
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

interface Ready {
  row: SourceRow;
  body: Body;
}

/** Run all rows through `send`; never throws: how it ended is in the outcome. */
export async function runThrough(run: Run): Promise<Outcome> {
  const { file, table, reading, signal } = run;
  const rejected: Rejected[] = [];
  const progress: Progress = { share: 0, accepted: 0, rejected };
  const lineOfId = new Map<unknown, number>();
  let underWay: Ready[] = [];

  async function flush(batch: Ready[]): Promise<void> {
    underWay = batch;
    const answer = await run.send(batch.map((each) => each.body));
    underWay = [];
    progress.accepted += answer.accepted;
    for (const { line, detail } of answer.errors) {
      const row = batch[line - 1]?.row;
      if (row !== undefined) rejected.push({ ...row, problems: problemsOf(detail, reading) });
    }
  }

  function readyOf(row: SourceRow): Ready | Rejected {
    const found = run.known.get(row.line);
    if (found !== undefined) return found;
    const { body, problems } = bodyOf(row, reading);
    if (problems !== null) return { ...row, problems };
    const earlier = body["id"] === undefined ? undefined : lineOfId.get(body["id"]);
    if (earlier !== undefined) {
      const detail = `the same id stands on line ${earlier}`;
      return { ...row, problems: [{ column: null, detail }] };
    }
    if (body["id"] !== undefined) lineOfId.set(body["id"], row.line);
    return { row, body };
  }

  try {
    await readRows(file, table, signal, async ({ rows, share }) => {
      const before = progress.share;
      for (let from = 0; from < rows.length; from += BATCH_ROWS) {
        signal.throwIfAborted();
        const read = rows.slice(from, from + BATCH_ROWS).map(readyOf);
        rejected.push(...read.filter((each) => "problems" in each));
        const batch = read.filter((each) => "body" in each);
        if (batch.length > 0) await flush(batch);
        const done = Math.min(1, (from + BATCH_ROWS) / rows.length);
        progress.share = before + (share - before) * done;
        run.onProgress({ ...progress });
      }
      progress.share = share;
    });
    rejected.sort((a, b) => a.line - b.line);
    return { ...progress, share: 1, stopped: null };
  } catch (error) {
    rejected.sort((a, b) => a.line - b.line);
    return { ...progress, stopped: { unknown: unknownOf(underWay, error), error } };
  }
}

/** A refusal by the API changes nothing; no answer, or a failure of the server, leaves a doubt. */
function unknownOf(batch: Ready[], error: unknown): Stopped["unknown"] {
  const [first] = batch;
  const last = batch.at(-1);
  const isRefused = error instanceof ProblemError && error.status >= 400 && error.status < 500;
  if (first === undefined || last === undefined || isRefused) return null;
  return { from: first.row.line, to: last.row.line };
}
