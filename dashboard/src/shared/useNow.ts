// The present wall time, as state that moves on while someone looks at it.
import { useEffect, useState } from "react";

/** Return Date.now(), refreshed every `everyMs`; pass null to let it rest. */
export function useNow(everyMs: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (everyMs === null) return;
    const timer = setInterval(() => {
      setNow(Date.now());
    }, everyMs);
    return () => {
      clearInterval(timer);
    };
  }, [everyMs]);
  return now;
}
