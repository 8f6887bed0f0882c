// What this feature reads and starts: status, runs, dead letters, the audit, and previews of runs.
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { request, withParams } from "../../api/client.ts";
import { inPages } from "../../api/pages.ts";
import type {
  AuditRow,
  BackfillInput,
  BackfillPreview,
  Letters,
  ReplayInput,
  ReplayPreview,
  Run,
  SystemStatus,
} from "./shapes.ts";

const STATUS = ["operations", "status"] as const;
const RUNS = ["operations", "runs"] as const;
const LETTERS = ["operations", "letters"] as const;
const AUDIT = ["operations", "audit"] as const;

const PAGE_SIZE = 25;
/** Nothing tells of lags and letters by itself. */
const LOOK_AGAIN_MS = 10_000;
/** A run tells of itself once a second. */
const RUNNING_MS = 1_000;
/** Counting all letters of a topic reads it. */
const SLOW_MS = 60_000;

export function useStatus() {
  return useQuery({
    queryKey: STATUS,
    queryFn: ({ signal }) =>
      request<SystemStatus>("/api/status", { signal, timeoutMs: SLOW_MS }),
    refetchInterval: LOOK_AGAIN_MS,
  });
}

export function useRuns() {
  return useInfiniteQuery({
    queryKey: RUNS,
    ...inPages<Run>("/api/operations", { limit: PAGE_SIZE }),
    refetchInterval: (query) => {
      const isRunning = query.state.data?.pages.some((page) =>
        page.items.some((run) => run.state === "running"),
      );
      return isRunning === true ? RUNNING_MS : LOOK_AGAIN_MS;
    },
  });
}

/** Count the letters of all topics. */
export function useLetterCounts() {
  return useQuery({
    queryKey: [...LETTERS, null],
    queryFn: ({ signal }) =>
      request<Letters>("/api/dead-letters", { signal, timeoutMs: SLOW_MS }),
    refetchInterval: LOOK_AGAIN_MS,
  });
}

/** The letters of a topic that wait, the oldest first; the first page also counts them. */
export function useLetters(topic: string) {
  return useInfiniteQuery({
    queryKey: [...LETTERS, topic],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      request<Letters>(
        withParams("/api/dead-letters", { topic, limit: PAGE_SIZE, cursor: pageParam }),
        { signal, timeoutMs: SLOW_MS },
      ),
    getNextPageParam: (last) => last.next,
    // Each page is read from the topic again: whoever looks at many does not have them all looked up.
    refetchInterval: (query) =>
      (query.state.data?.pages.length ?? 0) > 1 ? false : LOOK_AGAIN_MS,
  });
}

export function useAudit(resource: string | null) {
  return useInfiniteQuery({
    queryKey: [...AUDIT, resource],
    ...inPages<AuditRow>("/api/audit", { resource, limit: PAGE_SIZE }),
    placeholderData: keepPreviousData,
  });
}

/** How many rows a backfill would read; a question is asked anew each time it is raised. */
export function useBackfillPreview(input: BackfillInput | null, key: string) {
  return useQuery({
    queryKey: ["operations", "preview", "backfill", key],
    enabled: input !== null,
    retry: false,
    queryFn: ({ signal }) =>
      request<BackfillPreview>("/api/backfills/preview", {
        method: "POST",
        body: bodyOf(input),
        signal,
        timeoutMs: SLOW_MS,
      }),
  });
}

/** Whose rows a replay would send, and how many. */
export function useReplayPreview(input: ReplayInput | null, key: string) {
  return useQuery({
    queryKey: ["operations", "preview", "replay", key],
    enabled: input !== null,
    retry: false,
    queryFn: ({ signal }) =>
      request<ReplayPreview>("/api/replays/preview", {
        method: "POST",
        body: input,
        signal,
        timeoutMs: SLOW_MS,
      }),
  });
}

interface Start {
  path: "/api/backfills" | "/api/replays" | "/api/dead-letters/replays";
  body: object;
  /** The same for every try of one question, so that a lost answer starts nothing twice. */
  key: string;
}

/** Start a run. */
export function useStart() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ path, body, key }: Start) =>
      request<Run>(path, {
        method: "POST",
        body: bodyOf(body),
        headers: { "idempotency-key": key },
        timeoutMs: SLOW_MS,
      }),
    onSettled: () => {
      void cache.invalidateQueries({ queryKey: RUNS });
      void cache.invalidateQueries({ queryKey: AUDIT });
    },
  });
}

/** What a run may have changed is read again once none goes on. */
export function useAfterRuns(): () => void {
  const cache = useQueryClient();
  return () => {
    void cache.invalidateQueries({ queryKey: LETTERS });
    void cache.invalidateQueries({ queryKey: STATUS });
  };
}

/** The API takes a field that is absent, not one that is null. */
function bodyOf(fields: object | null): object {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== null));
}
