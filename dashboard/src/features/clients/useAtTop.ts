// Whether the page is scrolled to its beginning, so that nobody reads further down.
import { useSyncExternalStore } from "react";

/** So far down the first rows are still the ones that are read. */
const NEAR_PX = 160;

function subscribe(onChange: () => void): () => void {
  window.addEventListener("scroll", onChange, { passive: true });
  return () => {
    window.removeEventListener("scroll", onChange);
  };
}

export function useAtTop(): boolean {
  return useSyncExternalStore(subscribe, () => window.scrollY < NEAR_PX);
}
