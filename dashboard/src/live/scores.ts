// Pure: which of two images of a score is newer, and how a score event changes what is cached.
import type { InfiniteData } from "@tanstack/react-query";
import type { ClientRow, Page, RowScore, ScoreDetail, ScoreEvent } from "../api/types.ts";
import { isoOfDay } from "../shared/days.ts";

/** Whether an event supersedes an earlier one: by generation, then merged version, then day. */
export function supersedes(next: ScoreEvent, known: ScoreEvent): boolean {
  if (next.generation !== known.generation) return next.generation > known.generation;
  if (next.version !== known.version) return next.version > known.version;
  return next.day >= known.day;
}

function isAhead(event: ScoreEvent, version: number, asOf: string): boolean {
  if (event.version !== version) return event.version > version;
  return isoOfDay(event.day) > asOf;
}

function rowScoreOf(event: ScoreEvent): RowScore {
  return {
    as_of: isoOfDay(event.day),
    score: event.score,
    state: event.state,
    crossing_day: event.crossing_day === null ? null : isoOfDay(event.crossing_day),
    policy_version: event.policy_version,
    merged_version: event.version,
  };
}

/** Return the row with the event's score where that is newer, otherwise the row itself. */
export function patchRow(row: ClientRow, event: ScoreEvent | undefined): ClientRow {
  if (event?.client_id !== row.id) return row;
  if (row.score !== null && !isAhead(event, row.score.merged_version, row.score.as_of)) return row;
  return { ...row, score: rowScoreOf(event) };
}

export type ClientPages = InfiniteData<Page<ClientRow>, string | null>;

/** Patch the rows of loaded pages in place; pages without a change keep their identity. */
export function patchPages(
  pages: ClientPages,
  newest: (clientId: number) => ScoreEvent | undefined,
): ClientPages {
  const patched = pages.pages.map((page) => {
    const items = page.items.map((row) => patchRow(row, newest(row.id)));
    return items.every((row, index) => row === page.items[index]) ? page : { ...page, items };
  });
  const isSame = patched.every((page, index) => page === pages.pages[index]);
  return isSame ? pages : { ...pages, pages: patched };
}

/** A score as it is shown; `behind` while the API's answer has not caught up with the stream. */
export type ScoreView = Omit<ScoreDetail, "explanation"> & {
  explanation:
    | (Omit<NonNullable<ScoreDetail["explanation"]>, "score_after_order"> & {
        score_after_order: number | null;
      })
    | null;
  behind?: true;
};

/**
 * Return the detail with what the event already tells. The features and the effect of one more
 * order are only known to the API, so they are left out until it has caught up.
 */
export function patchDetail(detail: ScoreView, event: ScoreEvent | undefined): ScoreView {
  if (event?.client_id !== detail.client_id) return detail;
  if (!isAhead(event, detail.version, detail.as_of)) return detail;
  const { parts } = event;
  return {
    ...detail,
    behind: true,
    as_of: isoOfDay(event.day),
    score: event.score,
    state: event.state,
    version: event.version,
    merged: event.merged,
    policy_version: event.policy_version,
    entry: event.entry,
    exit: event.exit,
    crossing_day: event.crossing_day === null ? null : isoOfDay(event.crossing_day),
    lapse_day: event.lapse_day === null ? null : isoOfDay(event.lapse_day),
    episode_id: event.episode_id,
    explanation:
      parts === null
        ? null
        : {
            parts,
            total: parts.intercept + parts.frequency + parts.value + parts.recency,
            score_after_order: null,
            lift: null,
          },
  };
}
