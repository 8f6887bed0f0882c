// The page of one client: who, what happened and what comes, how they stand and why, and their emails.
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { May } from "../../auth/may.tsx";
import { ClientHeader } from "../../features/clients/ClientHeader.tsx";
import { Consent } from "../../features/clients/Consent.tsx";
import { nameOf } from "../../features/clients/names.ts";
import { Orders } from "../../features/clients/Orders.tsx";
import { useClient, useScore } from "../../features/clients/queries.ts";
import { ScoreCard } from "../../features/clients/ScoreCard.tsx";
import { viewOf, viewSearchOf } from "../../features/clients/timeline/view.ts";
import { ClientEmails } from "../../features/emails/ClientEmails.tsx";
import type { ScoreView } from "../../live/scores.ts";
import { usePageTitle } from "../../shared/title.ts";
import { Loading, Problem, Stale } from "../../shared/ui/Notice.tsx";
import clientStyles from "./ClientPage.module.css";
import { NotFoundPage } from "./ErrorPage.tsx";
import styles from "./pages.module.css";

const route = getRouteApi("/clients/$clientId");

const Timeline = lazy(async () => ({
  default: (await import("../../features/clients/timeline/Timeline.tsx")).Timeline,
}));

export function ClientPage() {
  const { clientId } = route.useParams();
  return (
    <>
      <Link to="/clients" className={styles["back"]}>
        ← All clients
      </Link>
      {Number.isSafeInteger(clientId) && clientId > 0 ? (
        <OneClient key={clientId} id={clientId} />
      ) : (
        <NotFoundPage />
      )}
    </>
  );
}

function OneClient({ id }: { id: number }) {
  const client = useClient(id);
  const score = useScore(id);
  const navigate = useNavigate();
  usePageTitle(client.data === undefined ? null : nameOf(client.data));
  if (client.isPending) return <Loading what="the client" rows={4} />;
  if (client.data === undefined) {
    return <Problem error={client.error} onRetry={() => void client.refetch()} />;
  }
  const state = score.data?.state ?? client.data.score?.state ?? null;
  return (
    <div data-testid="client-detail">
      <Stale query={client} />
      <ClientHeader
        client={client.data}
        state={state}
        onErased={() => {
          void navigate({ to: "/clients" });
        }}
      />
      {score.data == null ? null : <Line id={id} score={score.data} />}
      <div className={styles["columns"]}>
        <div className={styles["column"]}>
          {score.isPending ? (
            <Loading what="the score" rows={3} />
          ) : score.data === undefined ? (
            <Problem error={score.error} onRetry={() => void score.refetch()} />
          ) : (
            <ScoreCard clientId={id} score={score.data} />
          )}
          <Orders clientId={id} />
        </div>
        <div className={styles["column"]}>
          <Consent client={client.data} />
          <May scope="emails:read">
            <ClientEmails clientId={id} />
          </May>
        </div>
      </div>
    </div>
  );
}

function Line({ id, score }: { id: number; score: ScoreView }) {
  const view = viewOf(route.useSearch());
  const navigate = useNavigate({ from: "/clients/$clientId" });
  return (
    <div className={clientStyles["line"]}>
      <Suspense fallback={<Loading what="the line of time" rows={4} />}>
        <Timeline
          clientId={id}
          score={score}
          view={view}
          onView={(next) => {
            void navigate({ search: viewSearchOf(next), replace: true, resetScroll: false });
          }}
        />
      </Suspense>
    </div>
  );
}
