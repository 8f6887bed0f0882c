// Says when what is on the page may be old, why, and what to do; goes by itself.
import { useConnection } from "../../live/useLive.ts";
import { useOnline } from "../../shared/useOnline.ts";
import styles from "./ConnectionBanner.module.css";

export function ConnectionBanner() {
  const connection = useConnection();
  const isOnline = useOnline();
  // The browser's own idea of being offline is wrong on machines with loopback only: it counts
  // only once the stream has broken off, too.
  const isCutOff = !isOnline && (connection === "reconnecting" || connection === "offline");
  if (connection !== "offline" && !isCutOff) return null;
  return (
    <p className={styles["banner"]} role="status" data-testid="offline">
      {isCutOff ? (
        <>
          <strong>You are offline.</strong> What you see may be old. Check your network; this page
          catches up by itself once it is back.
        </>
      ) : (
        <>
          <strong>The API cannot be reached</strong>, so what you see may be old. This page keeps
          trying and catches up by itself; writing works again once it has. If it lasts, tell
          whoever runs it.
        </>
      )}
    </p>
  );
}
