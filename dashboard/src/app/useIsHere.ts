// Lets a page that settles something a moment later not call back a reader who has left meanwhile.
import { useRouter } from "@tanstack/react-router";
import { useCallback } from "react";

/**
 * Return what tells whether the reader is at ``path``, or on the way there.
 *
 * Where the code of the next page takes its time, the one before stays, and its timers go on.
 */
export function useIsHere(path: string): () => boolean {
  const router = useRouter();
  return useCallback(() => router.latestLocation.pathname === path, [router, path]);
}
