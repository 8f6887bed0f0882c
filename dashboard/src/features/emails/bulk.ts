// Decides about many emails: one decision for each, a few at a time, every failure named.
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import type { EmailRow, EmailState } from "../../api/types.ts";
import { APPROVE, RELEASE, RETRY, type Choice } from "./choices.ts";
import { decide } from "./decisions.ts";

/** The states in which emails may be decided about together, and what is decided. */
export const TOGETHER: Partial<Record<EmailState, Choice>> = {
  draft: APPROVE,
  held: RELEASE,
  failed: RETRY,
  rejected: RETRY,
};

/** Few enough to stay below the API's rate limit, and to stop soon. */
const AT_A_TIME = 4;

export interface Failure {
  row: EmailRow;
  error: unknown;
}

export interface Progress {
  total: number;
  done: number;
  failures: Failure[];
  running: boolean;
}

/** Run `work` for each item, so many at a time; `goesOn` is asked before each. */
export async function eachOf<Item>(
  items: readonly Item[],
  atATime: number,
  work: (item: Item) => Promise<void>,
  goesOn: () => boolean,
): Promise<void> {
  const left = [...items];
  async function worker(): Promise<void> {
    while (goesOn()) {
      const item = left.shift();
      if (item === undefined) return;
      await work(item);
    }
  }
  await Promise.all(Array.from({ length: atATime }, worker));
}

export function useBulk() {
  const cache = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);
  const stopped = useRef(false);

  async function run(rows: readonly EmailRow[], choice: Choice): Promise<void> {
    stopped.current = false;
    let now: Progress = { total: rows.length, done: 0, failures: [], running: true };
    function tell(change: Partial<Progress>): void {
      now = { ...now, ...change };
      setProgress(now);
    }
    tell({});
    await eachOf(
      rows,
      AT_A_TIME,
      async (row) => {
        try {
          await decide(cache, row, choice);
          tell({ done: now.done + 1 });
        } catch (error) {
          tell({ failures: [...now.failures, { row, error }] });
        }
      },
      () => !stopped.current,
    );
    tell({ running: false });
  }

  return {
    progress,
    run: (rows: readonly EmailRow[], choice: Choice) => void run(rows, choice),
    stop: () => {
      stopped.current = true;
    },
    clear: () => {
      setProgress(null);
    },
  };
}
