// Runs a job at once, then at most every so often, and never while it would only queue up.

export interface Throttle {
  ask: () => void;
  stop: () => void;
}

/**
 * Make a throttle: `ask` runs the job now if the last run is `everyMs` ago, otherwise when it will
 * be. While `busy` says so, the run is put off by another period.
 */
export function throttle(job: () => void, everyMs: number, busy: () => boolean): Throttle {
  let last = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | null = null;

  function run(): void {
    timer = null;
    if (busy()) {
      timer = setTimeout(run, everyMs);
      return;
    }
    last = Date.now();
    job();
  }

  return {
    ask: () => {
      if (timer !== null) return;
      const wait = last + everyMs - Date.now();
      if (wait <= 0) run();
      else timer = setTimeout(run, wait);
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
