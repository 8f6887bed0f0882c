// Whether the page is live, what day the business has, and whether the model is a sandbox.
import type { Stats } from "../../api/types.ts";
import type { Connection } from "../../live/stream.ts";
import { useConnection } from "../../live/useLive.ts";
import { day } from "../../shared/format.ts";
import { SandboxLabel } from "../../shared/ui/Badge.tsx";
import { useNow } from "../../shared/useNow.ts";
import { useStats } from "../../shared/useStats.ts";
import { businessTime, dateHere, rateWords } from "./clock.ts";
import styles from "./StatusLine.module.css";

const WORDS: Record<Connection, string> = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  offline: "Offline",
};

export function StatusLine() {
  const connection = useConnection();
  const { data, dataUpdatedAt } = useStats();
  return (
    <div className={styles["line"]}>
      <span
        className={styles["connection"]}
        role="status"
        aria-label="Live connection"
        data-testid="connection"
        data-connection={connection}
      >
        {WORDS[connection]}
      </span>
      {data === undefined ? null : <Clock stats={data} heardAt={dataUpdatedAt} />}
      {data?.model_sandbox === true ? <SandboxLabel /> : null}
    </div>
  );
}

function Clock({ stats, heardAt }: { stats: Stats; heardAt: number }) {
  const isFast = stats.clock_rate !== 1;
  const now = useNow(isFast ? 500 : 30_000);
  const time = businessTime(stats.business_now, stats.clock_rate, heardAt, now);
  // The shop's own day where one is served: the API does not tell the shop's zone.
  const date = stats.as_of ?? dateHere(time);
  const rate = rateWords(stats.clock_rate);
  return (
    <span className={styles["clock"]} title="The business date, which scores are counted from">
      <time dateTime={date} data-testid="business-date">
        {day(date)}
      </time>
      {rate === null ? null : <span className={styles["rate"]}> · {rate}</span>}
    </span>
  );
}
