// The page of all emails, with the chosen one beside the list where there is room.
import { getRouteApi, Outlet, useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import type { EmailFilter } from "../../api/keys.ts";
import { EmailControls } from "../../features/emails/EmailControls.tsx";
import { EmailList } from "../../features/emails/EmailList.tsx";
import { Hints } from "../../features/emails/Hints.tsx";
import { useQueue } from "../../features/emails/queue.ts";
import { emailFilterOf, emailSearchOf, readEmailSearch } from "../../features/emails/search.ts";
import { useShortcuts, type Shortcuts } from "../../features/emails/shortcuts.ts";
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
        to: "/emails",
        search: (previous) => emailSearchOf({ ...emailFilterOf(previous), ...part }),
      });
    },
    [navigate],
  );
  const { previous, next, loadMore } = useQueue(filter, current);
  const before = previous?.episode_id;
  const after = next?.episode_id;
  const shortcuts = useMemo((): Shortcuts => {
    const open = (episodeId: string | undefined) => () => {
      if (episodeId === undefined) return;
      void navigate({
        to: "/emails/$episodeId",
        params: { episodeId },
        search: (old) => readEmailSearch(old),
        replace: current !== null,
      });
    };
    const down = (): void => {
      open(after)();
      loadMore();
    };
    return { j: down, k: open(before) };
  }, [before, after, current, navigate, loadMore]);
  useShortcuts(shortcuts);
  return (
    <>
      <h1 className={styles["titleAlone"]}>Emails</h1>
      <div className={styles["above"]} data-open={current !== null}>
        <EmailControls filter={filter} onChange={change} />
        <Hints />
      </div>
      <div className={styles["split"]} data-open={current !== null}>
        <div className={styles["list"]}>
          <EmailList filter={filter} current={current} />
        </div>
        <div className={styles["aside"]}>
          {current === null ? (
            <p className={styles["hint"]}>
              {filter.state === "draft"
                ? "Choose an email to read and approve it, or press j to begin with the first."
                : "Choose an email to read it."}
            </p>
          ) : (
            <Outlet />
          )}
        </div>
      </div>
    </>
  );
}
