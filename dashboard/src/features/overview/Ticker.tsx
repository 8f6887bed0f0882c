// What happens in the shop right now, line by line; can be paused, and is read out politely.
import { Link } from "@tanstack/react-router";
import { useCallback, useEffect, useRef, useState } from "react";
import type { LiveEvent } from "../../live/events.ts";
import { useConnection, useEvents } from "../../live/useLive.ts";
import { plural } from "../../shared/format.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Card } from "../../shared/ui/Card.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import styles from "./Ticker.module.css";
import { LINES_MAX, withEvents, type Line } from "./ticker.ts";

/** Lines come at most this often, however busy the shop is. */
const GATHER_MS = 1_000;
/** While paused, older events than these are only counted. */
const WAITING_MAX = 500;

export function Ticker({ mayReadEmails }: { mayReadEmails: boolean }) {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [isPaused, setPaused] = useState(false);
  const [missed, setMissed] = useState(0);
  const waiting = useRef<LiveEvent[]>([]);
  const connection = useConnection();
  useEvents(
    useCallback((event) => {
      waiting.current.push(event);
      if (waiting.current.length > WAITING_MAX) waiting.current.shift();
    }, []),
  );
  useEffect(() => {
    const timer = setInterval(() => {
      const events = waiting.current;
      if (events.length === 0) return;
      if (isPaused) {
        setMissed(events.length);
        return;
      }
      waiting.current = [];
      setLines((before) => withEvents(before, events, Date.now()));
    }, GATHER_MS);
    return () => {
      clearInterval(timer);
    };
  }, [isPaused]);

  function toggle(): void {
    setMissed(0);
    setPaused(!isPaused);
  }

  return (
    <Card
      title="Live"
      aside={
        <Button small aria-pressed={isPaused} onClick={toggle}>
          {isPaused ? `Resume${missed > 0 ? ` (${plural(missed, "event")})` : ""}` : "Pause"}
        </Button>
      }
    >
      {lines.length === 0 ? (
        <p className={styles["none"]}>
          {connection === "live"
            ? "Nothing has happened since you came here."
            : "The live stream is not connected yet."}
        </p>
      ) : null}
      <div
        className={styles["log"]}
        role="log"
        aria-live={isPaused ? "off" : "polite"}
        aria-relevant="additions"
        aria-label="Live events"
        // It scrolls, so a keyboard must reach it.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        data-testid="ticker"
        data-most={LINES_MAX}
      >
        {lines.map((line) => (
          <p key={line.key} className={styles["line"]}>
            <span className={styles["time"]}>
              <Time at={new Date(line.at).toISOString()} clock />
            </span>
            <Text line={line} mayReadEmails={mayReadEmails} />
          </p>
        ))}
      </div>
    </Card>
  );
}

function Text({ line, mayReadEmails }: { line: Line; mayReadEmails: boolean }) {
  const { to, text } = line;
  if (to?.kind === "client") {
    return (
      <Link to="/clients/$clientId" params={{ clientId: to.id }} className={styles["link"]}>
        {text}
      </Link>
    );
  }
  if (to?.kind === "email" && mayReadEmails) {
    return (
      <Link to="/emails/$episodeId" params={{ episodeId: to.id }} className={styles["link"]}>
        {text}
      </Link>
    );
  }
  return <span>{text}</span>;
}
