// The list of emails as a queue: which one comes before, after, and next for a decision.
import { useMemo, useState } from "react";
import type { EmailFilter } from "../../api/keys.ts";
import type { EmailRow } from "../../api/types.ts";
import { useEmails } from "./queries.ts";

/** Load more once so few rows are left below the current one. */
const NEAR_END = 5;

/** The neighbours of a row; of one that has left the list, those around the place it had. */
export function neighboursOf(
  rows: readonly EmailRow[],
  current: string | null,
  lastIndex: number,
): { previous: EmailRow | null; next: EmailRow | null } {
  const index = rows.findIndex((row) => row.episode_id === current);
  const [before, after] = index >= 0 ? [index - 1, index + 1] : [lastIndex - 1, lastIndex];
  return { previous: rows[before] ?? null, next: rows[Math.max(0, after)] ?? null };
}

/** The next row in the same state that nobody has decided about here, going round at the end. */
export function nextToDecide(
  rows: readonly EmailRow[],
  current: EmailRow,
  lastIndex: number,
  isDecided: (episodeId: string) => boolean,
): EmailRow | null {
  const found = rows.findIndex((row) => row.episode_id === current.episode_id);
  const from = found >= 0 ? found + 1 : Math.max(0, lastIndex);
  const round = [...rows.slice(from), ...rows.slice(0, from)];
  return (
    round.find(
      (row) =>
        row.episode_id !== current.episode_id &&
        row.state === current.state &&
        !isDecided(row.episode_id),
    ) ?? null
  );
}

/** The loaded rows under a filter, with the place of the current one. */
export function useQueue(filter: EmailFilter, current: string | null) {
  const query = useEmails(filter);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const index = rows.findIndex((row) => row.episode_id === current);
  const [lastIndex, setLastIndex] = useState(-1);
  if (index >= 0 && index !== lastIndex) setLastIndex(index);
  const isNearEnd = index >= rows.length - NEAR_END && query.hasNextPage;
  return {
    rows,
    lastIndex,
    ...neighboursOf(rows, current, lastIndex),
    loadMore: () => {
      if (isNearEnd && !query.isFetchingNextPage) void query.fetchNextPage();
    },
  };
}
