// The page of all emails, with the chosen one beside the list where there is room.
import { getRouteApi, Outlet, useNavigate, useParams } from "@tanstack/react-router";
import { useCallback } from "react";
import type { EmailFilter } from "../../api/keys.ts";
import { EmailControls } from "../../features/emails/EmailControls.tsx";
import { EmailList } from "../../features/emails/EmailList.tsx";
import { emailFilterOf, readEmailSearch } from "../search.ts";
import styles from "./pages.module.css";

const route = getRouteApi("/emails");

export function EmailsPage() {
  const search = route.useSearch();
  const filter = emailFilterOf(search);
  const current = useParams({ strict: false }).episodeId ?? null;
  const navigate = useNavigate({ from: "/emails" });
  const change = useCallback(
    (part: Partial<EmailFilter>) => {
      void navigate({
        search: (previous) => readEmailSearch({ ...emailFilterOf(previous), ...part }),
      });
    },
    [navigate],
  );
  return (
    <>
      <div className={styles["above"]} data-open={current !== null}>
        <h1 className={styles["title"]}>Emails</h1>
        <EmailControls filter={filter} onChange={change} />
      </div>
      <div className={styles["split"]} data-open={current !== null}>
        <div className={styles["list"]}>
          <EmailList filter={filter} current={current} search={search} />
        </div>
        <div className={styles["aside"]}>
          {current === null ? (
            <p className={styles["hint"]}>Choose an email to read it.</p>
          ) : (
            <Outlet />
          )}
        </div>
      </div>
    </>
  );
}
