// Says when what is on the page may be old, because the API has not been reached for a while.
import { useConnection } from "../../live/useLive.ts";
import styles from "./ConnectionBanner.module.css";

export function ConnectionBanner() {
  if (useConnection() !== "offline") return null;
  return (
    <p className={styles["banner"]} role="status" data-testid="offline">
      The API cannot be reached, so what you see may be old. This page keeps trying and catches up
      by itself; writing works again once it has.
    </p>
  );
}
