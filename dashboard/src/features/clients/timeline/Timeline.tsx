// One client's orders, times at risk and emails on one axis, with the score over it and its future.
import { useNavigate } from "@tanstack/react-router";
import { useMay } from "../../../auth/may.tsx";
import type { ScoreView } from "../../../live/scores.ts";
import { day } from "../../../shared/format.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import { Card } from "../../../shared/ui/Card.tsx";
import { Figure } from "../../../shared/ui/Figure.tsx";
import { FilterChips } from "../../../shared/ui/FilterChips.tsx";
import { Empty, Loading, Problem } from "../../../shared/ui/Notice.tsx";
import { nextOf } from "../sentences.ts";
import { Chart } from "./Chart.tsx";
import { happeningsOf, type Happenings } from "./happenings.ts";
import { useAllOrders, useCurve, useEpisodes, useWritten } from "./queries.ts";
import type { Curve } from "./shapes.ts";
import styles from "./Timeline.module.css";
import { TimelineTable } from "./TimelineTable.tsx";
import type { View } from "./view.ts";
import {
  curveDaysOf,
  RANGES,
  steppedEnd,
  stretchOf,
  type Extent,
  type Range,
  type Stretch,
} from "./windows.ts";

interface Props {
  clientId: number;
  score: ScoreView;
  view: View;
  onView: (view: View) => void;
}

export function Timeline({ clientId, score, view, onView }: Props) {
  const mayEmails = useMay("emails:read");
  const orders = useAllOrders(clientId);
  const episodes = useEpisodes(clientId, mayEmails);
  const written = useWritten(clientId, mayEmails);
  const first = orders.data?.orders.at(-1)?.ordered_at ?? score.as_of;
  const extent: Extent = { first: first.slice(0, 10), today: score.as_of };
  const stretch = stretchOf(view.range, extent, view.end);
  const curve = useCurve(clientId, curveDaysOf(stretch));

  const reads = mayEmails ? [orders, curve, episodes, written] : [orders, curve];
  const failed = reads.find((read) => read.data === undefined && read.isError);
  const isPending = reads.some((read) => read.data === undefined);
  return (
    <Card title="Line of time" aside={<Steps extent={extent} view={view} onView={onView} />}>
      <p className={styles["forecast"]} data-testid="forecast">
        {nextOf(score)}
      </p>
      <FilterChips
        label="Range"
        chips={Object.entries(RANGES).map(([value, name]) => ({
          value: value as Range,
          name,
          count: null,
        }))}
        value={view.range}
        onChange={(range) => {
          onView({ range, end: null });
        }}
      />
      {failed !== undefined ? (
        <Problem error={failed.error} onRetry={() => void failed.refetch()} small />
      ) : isPending || orders.data === undefined || curve.data === undefined ? (
        <Loading what="the line of time" rows={4} />
      ) : (
        <Drawn
          curve={curve.data}
          happenings={happeningsOf(
            orders.data.orders,
            episodes.data?.items ?? [],
            written.data?.pages.flatMap((page) => page.items) ?? [],
            score.as_of,
          )}
          stretch={stretch}
          label={nextOf(score)}
        />
      )}
      {orders.data?.isCut === true ? (
        <p className={styles["note"]}>The newest {orders.data.orders.length} orders are drawn.</p>
      ) : null}
      {mayEmails ? null : (
        <p className={styles["note"]}>
          Times at risk and emails are left out: they need the permission emails:read.
        </p>
      )}
    </Card>
  );
}

interface DrawnProps {
  curve: Curve;
  happenings: Happenings;
  stretch: Stretch;
  label: string;
}

function Drawn({ curve, happenings, stretch, label }: DrawnProps) {
  const navigate = useNavigate();
  const isEmpty = happenings.marks.length === 0 && curve.points.every(({ score }) => score === null);
  if (isEmpty) {
    return (
      <Empty title="Nothing has happened yet">
        <p>Add the first order; the score follows within seconds.</p>
      </Empty>
    );
  }
  return (
    <Figure
      caption={`${day(stretch.from)} to ${day(stretch.to)}; dashed is what comes if nothing is ordered.`}
      chart={
        <Chart
          curve={curve}
          happenings={happenings}
          stretch={stretch}
          label={label}
          onOpen={(episodeId) => {
            void navigate({ to: "/emails/$episodeId", params: { episodeId } });
          }}
        />
      }
      table={<TimelineTable curve={curve} marks={happenings.marks} stretch={stretch} />}
    />
  );
}

function Steps({ extent, view, onView }: { extent: Extent } & Pick<Props, "view" | "onView">) {
  const step = (way: -1 | 1, name: string, sign: string) => {
    const end = steppedEnd(view.range, extent, view.end, way);
    return (
      <Button
        small
        aria-label={name}
        disabled={end === null}
        onClick={() => {
          onView({ ...view, end });
        }}
      >
        {sign}
      </Button>
    );
  };
  return (
    <div className={styles["steps"]}>
      {step(-1, "Earlier", "←")}
      {step(1, "Later", "→")}
    </div>
  );
}
