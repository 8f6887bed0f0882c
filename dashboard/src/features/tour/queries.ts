// What the tour reads and starts; each figure in it comes from one of these.
import { useMutation, useQueries, useQuery } from "@tanstack/react-query";
import { request, withParams } from "../../api/client.ts";
import { keys } from "../../api/keys.ts";
import type { components } from "../../api/schema.gen.ts";
import type {
  ClientRow,
  EmailDetail,
  EmailRow,
  Overview,
  Page,
  ScoreDetail,
} from "../../api/types.ts";

type Schemas = components["schemas"];
export type Run = Schemas["OperationRow"];
export type Lineage = Schemas["Lineage"];
export type Books = Schemas["LedgerBooks"];
export type Episode = Schemas["EpisodeRow"];
export type PolicyRow = Schemas["PolicyRow"];

const LOOK_MS = 1_000;
const SLOW_MS = 60_000;
/** Over so many of the newest emails the cost of one is told. */
export const COSTED = 10;

const SUBJECT = ["tour", "about"] as const;

/** What the tour once spoke about stays, also when everything else is read anew. */
function untilFound({ state }: { state: { data: Page<unknown> | undefined } }): boolean {
  return (state.data?.items.length ?? 0) === 0;
}

/** The email that steps 3 to 5 are about: the newest written one, and the same until it is left. */
export function useSubject() {
  return useQuery<Page<EmailRow>>({
    queryKey: SUBJECT,
    enabled: untilFound,
    staleTime: Infinity,
    refetchInterval: (query) => (query.state.data?.items.length === 0 ? LOOK_MS : false),
    queryFn: ({ signal }) =>
      request<Page<EmailRow>>(
        withParams("/api/emails", { state: "written", sort: "-created", limit: COSTED }),
        { signal },
      ),
  });
}

export function usePolicyInForce() {
  return useQuery({
    queryKey: ["tour", "policy"],
    queryFn: ({ signal }) => request<PolicyRow>("/api/policies/current", { signal }),
  });
}

export function useNewestEpisode() {
  return useQuery({
    queryKey: ["tour", "episode"],
    queryFn: ({ signal }) =>
      request<Page<Episode>>(withParams("/api/episodes", { sort: "-created", limit: 1 }), {
        signal,
      }),
  });
}

/** A client who orders as usual, to write an order of. */
export function useHealthyClient() {
  return useQuery<Page<ClientRow>>({
    queryKey: ["tour", "healthy"],
    enabled: untilFound,
    staleTime: Infinity,
    queryFn: ({ signal }) =>
      request<Page<ClientRow>>(
        withParams("/api/clients", { state: "active", sort: "-score", limit: 1 }),
        { signal },
      ),
  });
}

/** Somebody whom nobody would miss in a demo: lapsed for long. */
export function useLapsedClient() {
  return useQuery<Page<ClientRow>>({
    queryKey: ["tour", "lapsed"],
    enabled: untilFound,
    staleTime: Infinity,
    queryFn: ({ signal }) =>
      request<Page<ClientRow>>(withParams("/api/clients", { state: "lapsed", limit: 1 }), {
        signal,
      }),
  });
}

export function useScoreOf(clientId: number | null) {
  return useQuery({
    queryKey: ["tour", "score", clientId],
    enabled: clientId !== null,
    queryFn: ({ signal }) => readScore(clientId ?? 0, signal),
  });
}

export function readScore(clientId: number, signal?: AbortSignal): Promise<ScoreDetail> {
  return request<ScoreDetail>(
    `/api/clients/${clientId}/score`,
    signal === undefined ? {} : { signal },
  );
}

export async function countEmails(clientId: number): Promise<number> {
  const page = await request<Page<EmailRow>>(
    withParams("/api/emails", { client_id: clientId, limit: 200 }),
  );
  return page.items.length;
}

export function useLineageOf(episodeId: string | null) {
  return useQuery<Lineage>({
    // The same place as the page's own: each look costs the API a pass over a partition, so what
    // has been read is not read again when the stream opens anew.
    queryKey: ["emails", "lineage", episodeId],
    enabled: (query) => episodeId !== null && query.state.status === "pending",
    staleTime: Infinity,
    retry: false,
    queryFn: ({ signal }) =>
      request<Lineage>(`/api/emails/${episodeId ?? ""}/lineage`, { signal, timeoutMs: SLOW_MS }),
  });
}

/** Emails in detail, with what the model was asked for them. */
export function useDetails(episodes: readonly string[]) {
  return useQueries({
    queries: episodes.map((id) => ({
      queryKey: ["tour", "email", id],
      staleTime: Infinity,
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        request<EmailDetail>(`/api/emails/${id}`, { signal }),
    })),
  });
}

/** An email, looked at again and again until it is in a state. */
export function useUntil(episodeId: string | null, state: string) {
  return useQuery({
    queryKey: ["tour", "until", episodeId],
    enabled: episodeId !== null,
    queryFn: ({ signal }) => request<EmailDetail>(`/api/emails/${episodeId ?? ""}`, { signal }),
    refetchInterval: (query) => (query.state.data?.state === state ? false : LOOK_MS),
  });
}

export function useFigures() {
  return useQuery({
    queryKey: keys.overview,
    queryFn: ({ signal }) => request<Overview>("/api/overview", { signal }),
  });
}

export function useBooks() {
  return useQuery({
    queryKey: ["tour", "books"],
    queryFn: ({ signal }) =>
      request<Books>(withParams("/api/ledger", { each: "true" }), { signal, timeoutMs: SLOW_MS }),
  });
}

/** Whether a client is still there; asked until it is not. */
export function useIsThere(clientId: number | null) {
  return useQuery({
    queryKey: ["tour", "there", clientId],
    enabled: clientId !== null,
    retry: false,
    queryFn: async ({ signal }) => {
      const page = await request<Page<ClientRow>>(
        withParams("/api/clients", { search: String(clientId ?? 0), limit: 1 }),
        { signal },
      );
      return page.items.some((row) => row.id === clientId);
    },
    refetchInterval: (query) => (query.state.data === false ? false : 2 * LOOK_MS),
  });
}

interface Start {
  path: string;
  body: object;
  key: string;
}

export function useStartRun() {
  return useMutation({
    mutationFn: ({ path, body, key }: Start) =>
      request<Run>(path, {
        method: "POST",
        body,
        headers: { "idempotency-key": key },
        timeoutMs: SLOW_MS,
      }),
  });
}

/** A run, followed until it has ended. */
export function useRun(id: number | null) {
  return useQuery({
    queryKey: ["tour", "run", id],
    enabled: id !== null,
    queryFn: ({ signal }) => request<Run>(`/api/operations/${id ?? 0}`, { signal }),
    refetchInterval: (query) =>
      query.state.data === undefined || query.state.data.state === "running" ? LOOK_MS : false,
  });
}
