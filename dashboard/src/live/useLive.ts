// Ties the one live stream to the page's life, and tells components how it stands.
import { useQueryClient } from "@tanstack/react-query";
import { createContext, use, useEffect } from "react";
import { createStore, useStore } from "../shared/store.ts";
import type { LiveEvent } from "./events.ts";
import { fetchSource, type CreateSource } from "./source.ts";
import { openStream, type Connection } from "./stream.ts";
import { liveUpdates } from "./updates.ts";

/** What connections are made by; tests put their own in its place. */
export const SourceContext = createContext<CreateSource>(fetchSource);

const connection = createStore<Connection>("connecting");
const listeners = new Set<(event: LiveEvent) => void>();

/** Hear every live event while mounted; give a function that stays the same. */
export function useEvents(listener: (event: LiveEvent) => void): void {
  useEffect(() => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, [listener]);
}

export function useConnection(): Connection {
  return useStore(connection);
}

/**
 * Keep the stream open while the calling component is mounted; use it once, at the top. Null for
 * someone who may not follow it.
 */
export function useLive(url: string | null): void {
  const client = useQueryClient();
  const create = use(SourceContext);
  useEffect(() => {
    if (url === null) return;
    const updates = liveUpdates(client);
    const stream = openStream({
      url,
      create,
      onEvent: (event) => {
        updates.take(event);
        for (const listener of listeners) listener(event);
      },
      onConnection: connection.set,
      onOpen: (resumed) => {
        if (resumed) updates.mend();
        else updates.catchUp();
      },
      onGap: updates.catchUp,
      onUnreadable: (kind, error) => {
        console.error(`an unreadable ${kind} event was left out`, error);
      },
      random: Math.random,
    });
    const hurry = (): void => {
      if (document.visibilityState === "visible") stream.hurry();
    };
    window.addEventListener("online", hurry);
    window.addEventListener("offline", stream.renew);
    document.addEventListener("visibilitychange", hurry);
    return () => {
      window.removeEventListener("online", hurry);
      window.removeEventListener("offline", stream.renew);
      document.removeEventListener("visibilitychange", hurry);
      stream.close();
      updates.stop();
    };
  }, [client, create, url]);
}
