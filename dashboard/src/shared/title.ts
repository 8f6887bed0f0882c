// What the page in view is called; a page about one thing can name it.
import { useEffect } from "react";
import { createStore, useStore } from "./store.ts";

const own = createStore<string | null>(null);

/** Call the page by the name of what it shows, while mounted; null until that is known. */
export function usePageTitle(name: string | null): void {
  useEffect(() => {
    own.set(name);
    return () => {
      own.set(null);
    };
  }, [name]);
}

export function useOwnTitle(): string | null {
  return useStore(own);
}
