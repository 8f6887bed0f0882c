// A file goes through the API in batches, every row is accounted for, and a cancel is clean.
import { describe, expect, it, vi } from "vitest";
import { ProblemError } from "../../../api/problem.ts";
import { BATCH_ROWS, runThrough, type BatchAnswer, type Outcome, type Send } from "./bulkLoad.ts";
import { CsvError, openTable } from "./csvFile.ts";
import { FIELDS } from "./fields.ts";
import { guessMapping } from "./mapping.ts";
import { answerOf, sendTo } from "./sendBatch.ts";
import type { Body, Rejected } from "./rows.ts";

function fileOf(text: string): File {
  return new File([text], "clients.csv", { type: "text/csv" });
}

function fine(bodies: Body[]): Promise<BatchAnswer> {
  return Promise.resolve({ accepted: bodies.length, rejected: 0, errors: [] });
}

interface Given {
  send?: Send;
  known?: ReadonlyMap<number, Rejected>;
  signal?: AbortSignal;
  onProgress?: () => void;
}

async function run(text: string, given: Given = {}): Promise<Outcome> {
  const file = fileOf(text);
  const table = await openTable(file);
  const { headers } = table;
  const fields = FIELDS.clients;
  return runThrough({
    file,
    table,
    reading: { headers, fields, mapping: guessMapping(headers, fields), defaults: {} },
    known: given.known ?? new Map(),
    send: given.send ?? fine,
    signal: given.signal ?? new AbortController().signal,
    onProgress: given.onProgress ?? (() => undefined),
  });
}

const many = (rows: number): string =>
  `first_name\n${Array.from({ length: rows }, (_, index) => `Ada${index}\n`).join("")}`;

describe("openTable", () => {
  it("finds the columns, the delimiter and the first rows", async () => {
    const table = await openTable(fileOf("id;first_name\r\n1;Ada\r\n2;Grace\r\n"));
    expect(table).toEqual({
      headers: ["id", "first_name"],
      delimiter: ";",
      rows: [
        { line: 2, cells: ["1", "Ada"] },
        { line: 3, cells: ["2", "Grace"] },
      ],
    });
  });

  it("says what is wrong with a file that cannot be imported", async () => {
    await expect(openTable(fileOf(""))).rejects.toThrow(CsvError);
    await expect(openTable(fileOf("first_name\n"))).rejects.toThrow("holds no row");
    const latin1 = new File([new Uint8Array([0x61, 0x0a, 0xe9, 0x0a])], "old.csv");
    await expect(openTable(latin1)).rejects.toThrow("UTF-8");
  });
});

describe("runThrough", () => {
  it("sends every row once, in batches, in the file's order", async () => {
    const send = vi.fn(fine);
    const outcome = await run(many(BATCH_ROWS * 2 + 1), { send });
    expect(send.mock.calls.map(([bodies]) => bodies.length)).toEqual([BATCH_ROWS, BATCH_ROWS, 1]);
    expect(send.mock.calls[2]?.[0]).toEqual([{ first_name: `Ada${BATCH_ROWS * 2}` }]);
    expect(outcome).toEqual({ share: 1, accepted: BATCH_ROWS * 2 + 1, rejected: [], stopped: null });
  });

  it("finds the file's line of what the API refuses, blank lines and line breaks counted", async () => {
    const text = 'id,first_name\n1,"Ada\nMaria"\n\nx,Bo\n2,Cy\n';
    const send = (): Promise<BatchAnswer> =>
      Promise.resolve({
        accepted: 1,
        rejected: 1,
        errors: [{ line: 2, detail: "first_name: is too short" }],
      });
    const { accepted, rejected } = await run(text, { send });
    expect(accepted).toBe(1);
    expect(rejected.map(({ line, problems }) => [line, problems[0]?.column])).toEqual([
      [5, "id"],
      [6, "first_name"],
    ]);
  });

  it("refuses the second row with the same id, wherever in the file it stands", async () => {
    const { accepted, rejected } = await run("id,first_name\n7,Ada\n7,Bo\n");
    expect(accepted).toBe(1);
    expect(rejected[0]).toMatchObject({
      line: 3,
      problems: [{ column: null, detail: "the same id stands on line 2" }],
    });
  });

  it("does not send again what a check has found wrong", async () => {
    const bad: Rejected = { line: 2, cells: ["Ada"], problems: [{ column: null, detail: "no" }] };
    const send = vi.fn(fine);
    const { accepted, rejected } = await run("first_name\nAda\nBo\n", {
      send,
      known: new Map([[2, bad]]),
    });
    expect(send.mock.calls.map(([bodies]) => bodies)).toEqual([[{ first_name: "Bo" }]]);
    expect([accepted, rejected]).toEqual([1, [bad]]);
  });

  it("stops between two batches when it is cancelled, and knows what went in", async () => {
    const stopper = new AbortController();
    const send = vi.fn(fine);
    const { accepted, stopped } = await run(many(BATCH_ROWS * 3), {
      send,
      signal: stopper.signal,
      onProgress: () => {
        stopper.abort();
      },
    });
    expect(send).toHaveBeenCalledTimes(1);
    expect(accepted).toBe(BATCH_ROWS);
    expect(stopped?.unknown).toBeNull();
  });

  it("names the lines of which no answer came, and none where the API said no", async () => {
    const lost = new ProblemError("unreachable", 0, "The API cannot be reached");
    const doubtful = await run(many(3), { send: () => Promise.reject(lost) });
    expect(doubtful.stopped).toEqual({ error: lost, unknown: { from: 2, to: 4 } });
    const refused = new ProblemError("problem", 403, "Forbidden");
    const clear = await run(many(3), { send: () => Promise.reject(refused) });
    expect(clear.stopped).toEqual({ error: refused, unknown: null });
  });
});

describe("answerOf", () => {
  it("reads a line for each refused row, and at last the counts", () => {
    const text = '{"line":2,"detail":"no"}\n{"accepted":1,"rejected":1,"dry_run":false}\n';
    expect(answerOf(text)).toEqual({
      accepted: 1,
      rejected: 1,
      errors: [{ line: 2, detail: "no" }],
    });
  });

  it("does not take an answer for whole that lacks its counts", () => {
    expect(() => answerOf('{"line":2,"detail":"no"}\n')).toThrow("cut off");
  });
});

describe("a batch whose answer is lost", () => {
  const counts = '{"accepted":1,"rejected":0}';
  const bodies: Body[] = [{ first_name: "Ada" }];

  function answering(...answers: (() => Response)[]): (string | null)[] {
    const keys: (string | null)[] = [];
    vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
      keys.push(new Headers(init.headers).get("idempotency-key"));
      const next = answers.shift();
      return next === undefined ? Promise.reject(new TypeError("gone")) : Promise.resolve(next());
    });
    return keys;
  }

  it("is sent again under the same key, and counted once", async () => {
    const keys = answering(
      () => new Response(null, { status: 503 }),
      () => new Response(""),
      () => new Response(counts),
    );
    expect((await sendTo("clients", "load", 1)(bodies)).accepted).toBe(1);
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(3);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is given up after four tries, and not tried again where it was refused", async () => {
    expect(answering()).toEqual([]);
    await expect(sendTo("clients", "load", 1)(bodies)).rejects.toThrow("cannot be reached");
    const keys = answering(() => new Response(null, { status: 422 }));
    await expect(sendTo("clients", "load", 1)(bodies)).rejects.toThrow();
    expect(keys).toHaveLength(1);
  });

  it("is only checked without a key", async () => {
    const keys = answering(() => new Response(counts));
    await sendTo("clients", "check")(bodies);
    expect(keys).toEqual([null]);
  });
});
