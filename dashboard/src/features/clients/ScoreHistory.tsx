// The history of the score over the last year, read once somebody wants to see it.
import { useState } from "react";
import { Loading, Problem } from "../../shared/ui/Notice.tsx";
import styles from "./ScoreCard.module.css";
import { useCurve } from "./timeline/queries.ts";
import { Stays } from "./timeline/TimelineTable.tsx";
import { addDays } from "./timeline/windows.ts";

const DAYS = 365;

export function ScoreHistory({ clientId, asOf }: { clientId: number; asOf: string }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details
      className={styles["history"]}
      onToggle={(event) => {
        setIsOpen(event.currentTarget.open);
      }}
    >
      <summary>How the score got here, over the last year</summary>
      {isOpen ? <Read clientId={clientId} asOf={asOf} /> : null}
    </details>
  );
}

function Read({ clientId, asOf }: { clientId: number; asOf: string }) {
  const curve = useCurve(clientId, { from: addDays(asOf, 1 - DAYS), to: asOf });
  if (curve.isPending) return <Loading what="the history" rows={2} />;
  if (curve.data === undefined) {
    return <Problem error={curve.error} onRetry={() => void curve.refetch()} small />;
  }
  return <Stays curve={curve.data} />;
}
