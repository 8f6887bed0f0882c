// One server-sent event stream that is opened again, with backoff, until it is closed for good.
import { KINDS, readEvent, type LiveEvent, type LiveKind } from "./events.ts";
import type { CreateSource, Source } from "./source.ts";

export type Connection = "connecting" | "live" | "reconnecting" | "offline";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** After this many failures in a row the page no longer calls it a short interruption. */
const OFFLINE_AFTER = 3;

export interface StreamOptions {
  url: string;
  create: CreateSource;
  onEvent: (event: LiveEvent) => void;
  onConnection: (connection: Connection) => void;
  /**
   * Called whenever a stream opens; `resumed` when it goes on behind the last event heard, so that
   * nothing is missing unless `onGap` follows.
   */
  onOpen: (resumed: boolean) => void;
  /** Called when the server says that events are missing. */
  onGap: () => void;
  onUnreadable: (kind: LiveKind, error: unknown) => void;
  random: () => number;
}

/** How long to wait before attempt number `failures` + 1; half of it is chance, against stampedes. */
export function backoff(failures: number, random: () => number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1));
  return full / 2 + (full / 2) * random();
}

export interface Stream {
  /** End it for good. */
  close: () => void;
  /** Skip the present wait: the network is back. */
  hurry: () => void;
  /** Open anew what is open: the network may be gone without a word, and only a try tells. */
  renew: () => void;
}

/** Open the stream, until it is closed. */
export function openStream(options: StreamOptions): Stream {
  let source: Source | null = null;
  let lastEventId: string | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let failures = 0;

  function connect(): void {
    timer = null;
    const isResumed = lastEventId !== null;
    const opened = options.create(options.url, lastEventId);
    source = opened;
    opened.addEventListener("open", () => {
      failures = 0;
      options.onConnection("live");
      options.onOpen(isResumed);
    });
    /** An id holds until another comes: the next connection resumes behind it. */
    const take = (message: Event): void => {
      if (message instanceof MessageEvent && message.lastEventId !== "") {
        lastEventId = message.lastEventId;
      }
    };
    opened.addEventListener("place", take);
    opened.addEventListener("reset", (message) => {
      take(message);
      options.onGap();
    });
    opened.addEventListener("error", () => {
      if (source !== opened) return;
      opened.close();
      source = null;
      failures += 1;
      options.onConnection(failures >= OFFLINE_AFTER ? "offline" : "reconnecting");
      timer = setTimeout(connect, backoff(failures, options.random));
    });
    for (const kind of KINDS) {
      opened.addEventListener(kind, (message) => {
        if (!(message instanceof MessageEvent)) return;
        take(message);
        let event: LiveEvent;
        try {
          event = readEvent(kind, String(message.data));
        } catch (error) {
          options.onUnreadable(kind, error);
          return;
        }
        options.onEvent(event);
      });
    }
  }

  options.onConnection("connecting");
  connect();
  return {
    close: () => {
      if (timer !== null) clearTimeout(timer);
      source?.close();
      source = null;
      timer = null;
    },
    hurry: () => {
      if (timer === null) return;
      clearTimeout(timer);
      connect();
    },
    renew: () => {
      if (source === null) return;
      source.close();
      connect();
    },
  };
}
