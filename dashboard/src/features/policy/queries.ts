// What this feature reads and writes: policies, quick previews, and what-if runs.
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { request } from "../../api/client.ts";
import { keys } from "../../api/keys.ts";
import { createOnce } from "../../api/once.ts";
import { inPages } from "../../api/pages.ts";
import { isPassing, ProblemError } from "../../api/problem.ts";
import type { components } from "../../api/schema.gen.ts";
import type { PolicyPreview, PolicyRow, ShopPolicy } from "./document.ts";

export type Run = components["schemas"]["OperationRow"];

const CURRENT = ["policies", "current"] as const;
const LIST = ["policies", "list"] as const;
const PAGE_SIZE = 20;
/** No event tells that somebody else has saved a version. */
const LOOK_AGAIN_MS = 15_000;
const RUN_MS = 1_000;
/** Of the clients who change state so many are named, more than anybody reads. */
const CLIENTS_NAMED = 200;

const readCurrent = (signal?: AbortSignal): Promise<PolicyRow> =>
  request<PolicyRow>("/api/policies/current", signal === undefined ? {} : { signal });

export function useCurrentPolicy() {
  return useQuery({
    queryKey: CURRENT,
    queryFn: ({ signal }) => readCurrent(signal),
    refetchInterval: LOOK_AGAIN_MS,
  });
}

export function usePolicies() {
  return useInfiniteQuery({
    queryKey: LIST,
    ...inPages<PolicyRow>("/api/policies", { limit: PAGE_SIZE }),
  });
}

export type Trial = Partial<Omit<ShopPolicy, "emails" | "version">>;

/** The API takes a cost as a decimal string, of six places at most. */
const COST_PLACES = 6;

function bodyOf(policy: Trial, cost: number | null) {
  return { policy, ...(cost === null ? {} : { cost_per_email: cost.toFixed(COST_PLACES) }) };
}

/** What a policy would change at once; another question cancels the one before. */
export function usePreview(version: number, policy: Trial | null, cost: number | null) {
  return useQuery({
    queryKey: ["policies", "preview", version, policy, cost],
    enabled: policy !== null,
    queryFn: ({ signal }) =>
      request<PolicyPreview>("/api/policies/preview", {
        method: "POST",
        body: bodyOf(policy ?? {}, cost),
        signal,
      }),
    placeholderData: keepPreviousData,
  });
}

export function useStartRun() {
  return useMutation({
    mutationFn: ({ policy, cost, key }: { policy: Trial; cost: number | null; key: string }) =>
      request<Run>("/api/what-ifs", {
        method: "POST",
        body: { ...bodyOf(policy, cost), clients: CLIENTS_NAMED },
        headers: { "idempotency-key": key },
      }),
  });
}

/** A what-if that was started; it is looked at again and again until it has ended. */
export function useRun(id: number | null) {
  return useQuery({
    queryKey: ["policies", "run", id],
    enabled: id !== null,
    queryFn: ({ signal }) => request<Run>(`/api/what-ifs/${id ?? 0}`, { signal }),
    refetchInterval: ({ state: { data, error } }) => {
      // An address may name a run that there never was.
      if (error !== null && !isPassing(error)) return false;
      return data === undefined || data.state === "running" ? RUN_MS : false;
    },
  });
}

/** Another version came into force since the one that the changes were made to. */
export class Outdated extends Error {
  override readonly name = "Outdated";
  readonly newer: PolicyRow;

  constructor(newer: PolicyRow) {
    super(`version ${newer.version} came into force meanwhile`);
    this.newer = newer;
  }
}

export interface Save {
  base: PolicyRow;
  document: ShopPolicy;
  note: string;
}

export function useSavePolicy() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async ({ base, document, note }: Save) => {
      const onto = { "if-match": `"${base.version}"` };
      try {
        return await createOnce<PolicyRow>("/api/policies", { document, note }, onto);
      } catch (error) {
        if (!(error instanceof ProblemError) || error.status !== 412) throw error;
        const newest = await readCurrent();
        cache.setQueryData(CURRENT, newest);
        throw new Outdated(newest);
      }
    },
    onSuccess: (row) => {
      cache.setQueryData(CURRENT, row);
      void cache.invalidateQueries({ queryKey: LIST });
      void cache.invalidateQueries({ queryKey: keys.stats });
    },
  });
}
