// The page of how the shop stands: what is at stake, what was won back, and whether all flows.
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useMay } from "../../auth/may.tsx";
import { ClientsOverTime } from "../../features/overview/ClientsOverTime.tsx";
import { EmailsByState } from "../../features/overview/EmailsByState.tsx";
import { PipelineCard } from "../../features/overview/PipelineCard.tsx";
import { useOverview } from "../../features/overview/queries.ts";
import { USUAL_SPAN } from "../../features/overview/search.ts";
import { Ticker } from "../../features/overview/Ticker.tsx";
import { Tiles } from "../../features/overview/Tiles.tsx";
import { day } from "../../shared/format.ts";
import { Empty, Loading, Problem, Stale } from "../../shared/ui/Notice.tsx";
import styles from "./pages.module.css";

const route = getRouteApi("/");

export function OverviewPage() {
  const overview = useOverview();
  const span = route.useSearch().days ?? USUAL_SPAN;
  const navigate = useNavigate({ from: "/" });
  const mayReadEmails = useMay("emails:read");
  const mayOperate = useMay("ops:read");
  const now = overview.data;
  return (
    <>
      <div className={styles["head"]}>
        <h1 className={styles["title"]}>Overview</h1>
        {now?.as_of == null ? null : (
          <p className={styles["note"]}>
            as of <span data-testid="overview-day">{day(now.as_of)}</span>
          </p>
        )}
      </div>
      {overview.isPending ? (
        <Loading what="where the shop stands" rows={3} />
      ) : now === undefined ? (
        <Problem error={overview.error} onRetry={() => void overview.refetch()} />
      ) : (
        <div className={styles["rows"]}>
          <Stale query={overview} />
          {now.as_of === null ? (
            <Empty title="No day has been counted yet">
              <p>
                The figures come once clients have been scored, within a minute of the first. If
                there are none yet, create or import some.
              </p>
            </Empty>
          ) : (
            <Tiles overview={now} mayReadEmails={mayReadEmails} />
          )}
          <div className={styles["wide"]}>
            <ClientsOverTime
              now={now}
              span={span}
              onSpan={(days) => {
                void navigate({ search: days === USUAL_SPAN ? {} : { days }, replace: true });
              }}
            />
            <EmailsByState byState={now.emails_by_state ?? {}} mayRead={mayReadEmails} />
          </div>
          <div className={styles["halves"]}>
            <Ticker mayReadEmails={mayReadEmails} />
            <PipelineCard pipeline={now.pipeline} mayOperate={mayOperate} />
          </div>
        </div>
      )}
    </>
  );
}
