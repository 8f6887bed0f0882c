// Says that one's own write is not in the score yet, that it is, or that it takes unusually long.
import { SLOW_MS, usePendingWrites } from "../../live/pendingWrites.ts";
import { useConnection } from "../../live/useLive.ts";
import { seconds } from "../../shared/format.ts";
import { useNow } from "../../shared/useNow.ts";
import styles from "./Updating.module.css";

/** How long the good news stays. */
const PRAISE_MS = 6_000;

export function Updating({ clientId }: { clientId: number }) {
  const { writes, settled } = usePendingWrites(clientId);
  const now = useNow(writes.length > 0 || settled !== null ? 500 : null);
  if (writes.length > 0) {
    return (
      <span className={styles["updating"]} role="status" data-testid="updating">
        Updating…
      </span>
    );
  }
  if (settled !== null && now - settled.at < PRAISE_MS) {
    return (
      <span className={styles["settled"]} role="status" data-testid="settled">
        {settled.tookMs < 50 ? "Scored at once" : `Scored in ${seconds(settled.tookMs)}`}
      </span>
    );
  }
  return null;
}

export function SlowNotice({ clientId }: { clientId: number }) {
  const { writes } = usePendingWrites(clientId);
  const live = useConnection() === "live";
  const now = useNow(writes.length > 0 ? 1_000 : null);
  const waited = Math.max(0, ...writes.map((write) => now - write.since));
  if (waited < SLOW_MS) return null;
  return (
    <p className={styles["slow"]} role="alert" data-testid="updating-slow">
      Your change is saved, but after {seconds(waited)} it is still not in the score: what you see
      is from before it. The scorer may be behind or stopped.{" "}
      {live
        ? "This page goes on waiting for it."
        : "The live connection is down, so this page asks every second."}
    </p>
  );
}
