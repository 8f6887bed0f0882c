// The list of emails under a filter, page after page, with decisions about many where they fit.
import { useCallback, useEffect, useMemo, useRef, useState, type RefObject } from "react";
import type { EmailFilter } from "../../api/keys.ts";
import type { EmailRow } from "../../api/types.ts";
import { useMay } from "../../auth/may.tsx";
import { EMAIL_STATES } from "../../shared/states.ts";
import { LoadMore } from "../../shared/ui/LoadMore.tsx";
import { Empty, Loading, Problem, Stale } from "../../shared/ui/Notice.tsx";
import { TOGETHER } from "./bulk.ts";
import { BulkBar } from "./BulkBar.tsx";
import { EmailCard } from "./EmailCard.tsx";
import styles from "./EmailList.module.css";
import { useEmails } from "./queries.ts";
import { emailSearchOf } from "./search.ts";

interface Props {
  filter: EmailFilter;
  current: string | null;
}

const NOBODY: ReadonlySet<string> = new Set();

export function EmailList({ filter, current }: Props) {
  const query = useEmails(filter);
  if (query.isPending) return <Loading what="emails" />;
  if (query.data === undefined) {
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  }
  const rows = query.data.pages.flatMap((page) => page.items);
  return (
    <>
      <Stale query={query} />
      {rows.length === 0 ? (
        <NoEmails filter={filter} />
      ) : (
        // Another filter begins with nothing chosen.
        <Rows
          key={`${filter.state ?? ""}/${filter.clientId ?? ""}`}
          rows={rows}
          filter={filter}
          current={current}
          busy={query.isPlaceholderData}
        />
      )}
      <LoadMore
        hasMore={query.hasNextPage}
        loading={query.isFetchingNextPage}
        error={query.isFetchNextPageError ? query.error : null}
        onMore={() => void query.fetchNextPage()}
      />
    </>
  );
}

function Rows({ rows, filter, current, busy }: Props & { rows: EmailRow[]; busy: boolean }) {
  const [chosen, setChosen] = useState(NOBODY);
  const list = useRef<HTMLUListElement>(null);
  const mayDecide = useMay("emails:approve", "pii:read");
  const { state, clientId, sort } = filter;
  const together = state === null || !mayDecide ? undefined : TOGETHER[state];
  // One object as long as the filter stands, so that cards are only drawn again when they change.
  const search = useMemo(
    () => emailSearchOf({ state, clientId, sort }),
    [state, clientId, sort],
  );
  const choose = useCallback((episodeId: string, isChosen: boolean) => {
    setChosen((before) => {
      const next = new Set(before);
      if (isChosen) next.add(episodeId);
      else next.delete(episodeId);
      return next;
    });
  }, []);
  useArrows(list);
  useEffect(() => {
    if (current === null) return;
    list.current?.querySelector("[data-current='true']")?.scrollIntoView({ block: "nearest" });
  }, [current]);
  return (
    <div className={styles["list"]}>
      {together === undefined ? null : (
        <BulkBar choice={together} rows={rows} chosen={chosen} onChoose={setChosen} />
      )}
      <ul ref={list} role="list" aria-label="Emails" aria-busy={busy}>
        {rows.map((row) => (
          <EmailCard
            key={row.episode_id}
            row={row}
            current={row.episode_id === current}
            search={search}
            chosen={together === undefined ? null : chosen.has(row.episode_id)}
            onChoose={choose}
          />
        ))}
      </ul>
    </div>
  );
}

/** Within the list the arrows move from email to email; Enter opens the one that has the focus. */
function useArrows(list: RefObject<HTMLUListElement | null>): void {
  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    function press(event: KeyboardEvent): void {
      const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
      const links = [...(element?.querySelectorAll<HTMLElement>("li a") ?? [])];
      const from = links.findIndex((link) => link === document.activeElement);
      const to = links[from + step];
      if (step === 0 || from < 0 || to === undefined) return;
      event.preventDefault();
      to.focus();
    }
    element.addEventListener("keydown", press);
    return () => {
      element.removeEventListener("keydown", press);
    };
  }, [list]);
}

function NoEmails({ filter }: { filter: EmailFilter }) {
  const { state, clientId } = filter;
  const whose = clientId === null ? "" : ` to client ${clientId}`;
  if (state === "draft") {
    return (
      <Empty title={`No email${whose} waits for approval`}>
        <p>A draft appears here once it has passed the checks, if the policy asks for approval.</p>
      </Empty>
    );
  }
  if (state !== null) {
    return (
      <Empty title={`No email${whose} is in the state “${EMAIL_STATES[state].name}”`}>
        <p>Choose another state, or all of them.</p>
      </Empty>
    );
  }
  return (
    <Empty title={`No emails${whose} yet`}>
      <p>{clientId === null ? "One appears when a client falls at risk." : "Clear the search to see all."}</p>
    </Empty>
  );
}
