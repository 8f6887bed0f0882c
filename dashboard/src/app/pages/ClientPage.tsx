// The page of one client: who, how they stand and why, their orders, and what was written to them.
import { getRouteApi, Link } from "@tanstack/react-router";
import { ClientHeader } from "../../features/clients/ClientHeader.tsx";
import { Orders } from "../../features/clients/Orders.tsx";
import { useClient, useScore } from "../../features/clients/queries.ts";
import { ScoreCard } from "../../features/clients/ScoreCard.tsx";
import { ClientEmails } from "../../features/emails/ClientEmails.tsx";
import { Loading, Problem } from "../../shared/ui/Notice.tsx";
import styles from "./pages.module.css";

const route = getRouteApi("/clients/$clientId");

export function ClientPage() {
  const { clientId } = route.useParams();
  return (
    <>
      <Link to="/clients" className={styles["back"]}>
        ← All clients
      </Link>
      <OneClient key={clientId} id={clientId} />
    </>
  );
}

function OneClient({ id }: { id: number }) {
  const client = useClient(id);
  const score = useScore(id);
  if (client.isPending) return <Loading what="the client" rows={4} />;
  if (client.data === undefined) {
    return <Problem error={client.error} onRetry={() => void client.refetch()} />;
  }
  const state = score.data?.state ?? client.data.score?.state ?? null;
  return (
    <div data-testid="client-detail">
      <ClientHeader client={client.data} state={state} />
      <div className={styles["columns"]}>
        <div className={styles["column"]}>
          {score.isPending ? (
            <Loading what="the score" rows={3} />
          ) : score.data === undefined ? (
            <Problem error={score.error} onRetry={() => void score.refetch()} />
          ) : (
            <ScoreCard clientId={id} score={score.data} />
          )}
          <Orders clientId={id} score={score.data ?? null} />
        </div>
        <ClientEmails clientId={id} />
      </div>
    </div>
  );
}
