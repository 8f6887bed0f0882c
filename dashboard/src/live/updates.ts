// Applies live events to the cache: scores in place, emails by refetch, new days politely.
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { keys } from "../api/keys.ts";
import type { ClientRow, ScoreDetail, ScoreEvent } from "../api/types.ts";
import { refreshEmail } from "./emailRefresh.ts";
import type { LiveEvent } from "./events.ts";
import { settleWrites } from "./pendingWrites.ts";
import { newestScore, noteScore } from "./scoreBook.ts";
import {
  patchDetail,
  patchPages,
  patchRow,
  type ClientPages,
  type ScoreView,
} from "./scores.ts";
import { throttle } from "./throttle.ts";

/** Events are gathered for this long, so that a burst costs one pass over the cache. */
const GATHER_MS = 100;
/** Lists and counts are taken again at most this often. */
const LISTS_EVERY_MS = 2_000;
/** With more changed episodes than this, the lists are taken again instead of single rows. */
const SINGLE_EMAILS_MAX = 10;

export interface LiveUpdates {
  take: (event: LiveEvent) => void;
  /** Events are missing: whatever happened is taken from the API. */
  catchUp: () => void;
  /** The stream goes on where it broke off: only what could not be read is read again. */
  mend: () => void;
  stop: () => void;
}

/** Make the object that applies events to this cache. */
export function liveUpdates(client: QueryClient): LiveUpdates {
  const scores = new Map<number, ScoreEvent>();
  const emails = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | null = null;

  function again(...queryKeys: QueryKey[]) {
    return throttle(
      () => {
        for (const queryKey of queryKeys) void invalidate(queryKey);
      },
      LISTS_EVERY_MS,
      () => queryKeys.some((queryKey) => client.isFetching({ queryKey }) > 0),
    );
  }
  const stats = again(keys.stats, keys.overview);
  const emailLists = again(keys.emailLists);
  const newDay = again(keys.clientLists, ["clients", "score"], keys.overviewHistories);

  /** Refetch what is on screen; a hidden page only marks it stale and refetches when looked at. */
  function invalidate(queryKey: QueryKey): Promise<void> {
    const refetchType = document.visibilityState === "hidden" ? "none" : "active";
    return client.invalidateQueries({ queryKey, refetchType }, { cancelRefetch: false });
  }

  function flush(): void {
    timer = null;
    if (scores.size > 0) flushScores();
    if (emails.size > 0) flushEmails();
    stats.ask();
  }

  function flushScores(): void {
    const fresh = new Map(scores);
    scores.clear();
    client.setQueriesData<ClientPages>({ queryKey: keys.clientLists }, (pages) =>
      pages === undefined ? pages : patchPages(pages, (id) => fresh.get(id)),
    );
    for (const [id, event] of fresh) {
      settleWrites(id, event);
      if (client.getQueryState(keys.client(id)) === undefined) continue;
      client.setQueryData<ClientRow>(keys.client(id), (row) =>
        row === undefined ? row : patchRow(row, event),
      );
      client.setQueryData<ScoreView | null>(keys.score(id), (detail) =>
        detail === undefined || detail === null ? detail : patchDetail(detail, event),
      );
      void invalidate(keys.score(id));
      void invalidate(keys.orders(id));
      const row = client.getQueryData<ClientRow>(keys.client(id));
      const isWritten = event.merged.some(
        ([entity, version]) => entity === "client" && version > (row?.version ?? version),
      );
      if (isWritten) void invalidate(keys.client(id));
    }
  }

  function flushEmails(): void {
    const changed = [...emails];
    emails.clear();
    emailLists.ask();
    if (changed.length > SINGLE_EMAILS_MAX) {
      void invalidate(["emails", "one"]);
      return;
    }
    for (const episodeId of changed) {
      // A failed refetch is shown by the page's own query, which the lists' refresh renews.
      refreshEmail(client, episodeId).catch(() => invalidate(keys.email(episodeId)));
    }
  }

  return {
    take: (event) => {
      switch (event.kind) {
        case "score":
          if (noteScore(event.data)) scores.set(event.data.client_id, event.data);
          break;
        case "email":
          emails.add(event.data.episode_id);
          break;
        case "episode":
          void invalidate(keys.score(event.data.client_id));
          break;
        case "served":
          newDay.ask();
          break;
      }
      timer ??= setTimeout(flush, GATHER_MS);
    },
    catchUp: () => {
      void client.invalidateQueries();
    },
    mend: () => {
      void client.refetchQueries({
        type: "active",
        predicate: ({ state }) => state.status === "error" || state.fetchFailureCount > 0,
      });
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      for (const each of [stats, emailLists, newDay]) each.stop();
    },
  };
}

/** Put what the stream already told over an answer of the API that may be behind it. */
export function withLiveScore(row: ClientRow): ClientRow {
  return patchRow(row, newestScore(row.id));
}

export function withLiveDetail(detail: ScoreDetail): ScoreView {
  return patchDetail(detail, newestScore(detail.client_id));
}
