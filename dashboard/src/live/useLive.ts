// Ties the one live stream to the page's life, and tells components how it stands.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { createStore, useStore } from "../shared/store.ts";
import { openStream, type Connection } from "./stream.ts";
import { liveUpdates } from "./updates.ts";

const connection = createStore<Connection>("connecting");

export function useConnection(): Connection {
  return useStore(connection);
}

/** Keep the stream open while the calling component is mounted; use it once, at the top. */
export function useLive(url: string): void {
  const client = useQueryClient();
  useEffect(() => {
    const updates = liveUpdates(client);
    const stream = openStream({
      url,
      create: (address) => new EventSource(address),
      onEvent: updates.take,
      onConnection: connection.set,
      onOpen: updates.catchUp,
      onUnreadable: (kind, error) => {
        console.error(`an unreadable ${kind} event was left out`, error);
      },
      random: Math.random,
    });
    const hurry = (): void => {
      if (document.visibilityState === "visible") stream.hurry();
    };
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    return () => {
      window.removeEventListener("online", hurry);
      document.removeEventListener("visibilitychange", hurry);
      stream.close();
      updates.stop();
    };
  }, [client, url]);
}
