// Step 2: the next crossing as it happens, and how fast a row becomes a score.
import { Link } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import type { EpisodeEvent } from "../../../api/types.ts";
import { useMay } from "../../../auth/may.tsx";
import type { LiveEvent } from "../../../live/events.ts";
import { useEvents } from "../../../live/useLive.ts";
import { day, money, percent } from "../../../shared/format.ts";
import { Problem } from "../../../shared/ui/Notice.tsx";
import { useStats } from "../../../shared/useStats.ts";
import { Fact, Facts, Waiting } from "../Fact.tsx";
import { useHealthyClient, useNewestEpisode } from "../queries.ts";
import { TimedOrder } from "../TimedOrder.tsx";

type Opened = Extract<EpisodeEvent, { type: "opened" }>;

export function AtRisk() {
  const stats = useStats().data;
  const [opened, setOpened] = useState<Opened | null>(null);
  const healthy = useHealthyClient();
  const client = healthy.data?.items[0] ?? null;
  const mayRead = useMay("emails:read");
  useEvents(
    useCallback((event: LiveEvent) => {
      if (event.kind === "episode" && event.data.type === "opened") {
        // The first one stays: it is being talked about.
        const found = event.data;
        setOpened((before) => before ?? found);
      }
    }, []),
  );
  return (
    <>
      <p>
        Nobody clicks anything: a score falls while nothing happens. On the day on which it reaches
        the client’s own threshold, one episode opens, and only one for each silence.
        {stats === undefined || stats.clock_rate === 1
          ? ""
          : ` Business time runs ${Math.round(stats.clock_rate)} times as fast here.`}
      </p>
      {opened === null ? (
        <Waiting>Waiting for the next client to fall at risk…</Waiting>
      ) : (
        <Facts>
          <Fact name="Fell at risk just now" from="live event: GET /api/events" testId="tour-opened">
            <Link to="/clients/$clientId" params={{ clientId: opened.client_id }}>
              Client {opened.client_id}
            </Link>
          </Fact>
          <Fact name="Score and threshold" from="the same event">
            {percent(opened.score)} at {percent(opened.entry)}
          </Fact>
        </Facts>
      )}
      {mayRead ? <Newest /> : null}
      <p>How fast is it? Let a client order who is well, and time the way from the row to the score.</p>
      {healthy.error === null ? null : (
        <Problem error={healthy.error} onRetry={() => void healthy.refetch()} small />
      )}
      {client === null ? null : (
        <TimedOrder clientId={client.id} amount="19.90" before={client.score?.score ?? null} />
      )}
    </>
  );
}

/** The crossing before, for those who do not wait. */
function Newest() {
  const newest = useNewestEpisode();
  const last = newest.data?.items[0];
  if (newest.error !== null) return <Problem error={newest.error} small />;
  if (last === undefined) return null;
  return (
    <Facts>
      <Fact name="The one before" from="GET /api/episodes">
        <Link to="/clients/$clientId" params={{ clientId: last.client_id }}>
          Client {last.client_id}
        </Link>{" "}
        on {day(last.crossing_day)}
      </Fact>
      <Fact name="Its value at risk" from="GET /api/episodes">
        {money(last.value_at_risk.amount, last.value_at_risk.currency)}
      </Fact>
    </Facts>
  );
}
