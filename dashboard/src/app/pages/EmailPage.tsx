// One email, beside the list or, on a narrow screen, instead of it; a decision opens the next one.
import { getRouteApi, Link, useLocation, useNavigate } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import type { EmailDetail } from "../../api/types.ts";
import { isDecided } from "../../features/emails/decisions.ts";
import { nameOf } from "../../features/emails/EmailCard.tsx";
import { EmailView } from "../../features/emails/EmailView.tsx";
import { LINEAGE_HASH } from "../../features/emails/lineage/LineageSection.tsx";
import { nextToDecide, useQueue } from "../../features/emails/queue.ts";
import { emailFilterOf } from "../../features/emails/search.ts";
import styles from "./pages.module.css";

const route = getRouteApi("/emails/$episodeId");

export function EmailPage() {
  const { episodeId } = route.useParams();
  const search = route.useSearch();
  const { hash } = useLocation();
  const { rows, lastIndex } = useQueue(emailFilterOf(search), episodeId);
  const navigate = useNavigate({ from: "/emails/$episodeId" });
  const [first] = useState(episodeId);
  const [told, setTold] = useState("");
  const goOn = useCallback(
    (row: EmailDetail) => {
      const next = nextToDecide(rows, row, lastIndex, isDecided);
      if (next === null) {
        setTold("Stored. Nothing else waits in this list.");
        return;
      }
      setTold(`Stored. Next: ${nameOf(next)}.`);
      void navigate({
        to: "/emails/$episodeId",
        params: { episodeId: next.episode_id },
        search: (previous) => previous,
        replace: true,
      });
    },
    [rows, lastIndex, navigate],
  );
  return (
    <>
      <Link
        to="/emails"
        search={search}
        className={`${styles["back"] ?? ""} ${styles["close"] ?? ""}`}
      >
        ← All emails
      </Link>
      <p className="visuallyHidden" role="status" data-testid="queue-told">
        {told}
      </p>
      <EmailView
        key={episodeId}
        episodeId={episodeId}
        traced={hash === LINEAGE_HASH}
        takesFocus={episodeId !== first}
        onDecided={goOn}
      />
    </>
  );
}
