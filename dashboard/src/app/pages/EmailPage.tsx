// One email, beside the list or, on a narrow screen, instead of it.
import { getRouteApi, Link } from "@tanstack/react-router";
import { EmailView } from "../../features/emails/EmailView.tsx";
import styles from "./pages.module.css";

const route = getRouteApi("/emails/$episodeId");

export function EmailPage() {
  const { episodeId } = route.useParams();
  const search = route.useSearch();
  return (
    <>
      <Link
        to="/emails"
        search={search}
        className={`${styles["back"] ?? ""} ${styles["close"] ?? ""}`}
      >
        ← All emails
      </Link>
      <EmailView key={episodeId} episodeId={episodeId} />
    </>
  );
}
