// One connection to the event stream by fetch, because EventSource cannot send a bearer token.
import { createParser } from "eventsource-parser";
import { withBearer } from "../api/credentials.ts";

/** What a stream is made of: "open", "error", and a MessageEvent for each kind of event. */
export interface Source extends EventTarget {
  close: () => void;
}

export type CreateSource = (url: string, lastEventId: string | null) => Source;

/** The API sends something every 15 s; a connection silent for longer than this is dead. */
const SILENCE_MAX_MS = 40_000;

/** Open one connection; what ends it, for whatever reason, is told as one "error" event. */
export const fetchSource: CreateSource = (url, lastEventId) => {
  const stop = new AbortController();
  const source = new EventTarget();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function awaken(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      stop.abort(new Error("the stream has fallen silent"));
    }, SILENCE_MAX_MS);
  }

  async function run(): Promise<void> {
    awaken();
    const response = await withBearer((bearer) =>
      fetch(url, {
        headers: {
          accept: "text/event-stream",
          ...bearer,
          ...(lastEventId === null ? {} : { "last-event-id": lastEventId }),
        },
        cache: "no-store",
        signal: stop.signal,
      }),
    );
    const type = response.headers.get("content-type") ?? "";
    if (!response.ok || !type.startsWith("text/event-stream") || response.body === null) {
      await response.body?.cancel();
      throw new Error(`the stream was answered with ${response.status}`);
    }
    source.dispatchEvent(new Event("open"));
    const parser = createParser({
      onEvent: ({ event, data, id }) => {
        source.dispatchEvent(
          new MessageEvent(event ?? "message", { data, lastEventId: id ?? "" }),
        );
      },
    });
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      awaken();
      parser.feed(decoder.decode(value, { stream: true }));
    }
  }

  let isClosed = false;
  void run()
    // Why a connection ended does not change what follows: it is opened again, with backoff.
    .catch(() => undefined)
    .finally(() => {
      clearTimeout(timer);
      if (!isClosed) source.dispatchEvent(new Event("error"));
    });

  return Object.assign(source, {
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      stop.abort();
    },
  });
};
