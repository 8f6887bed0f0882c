// The cache key of everything that is read, in one place, so that live events find it.
import type { ClientSort, ClientState, EmailSort, EmailState } from "./types.ts";

export interface ClientFilter {
  state: ClientState | null;
  search: string;
  sort: ClientSort;
}

export interface EmailFilter {
  state: EmailState | null;
  clientId: number | null;
  sort: EmailSort;
}

export const keys = {
  stats: ["stats"] as const,
  overview: ["overview", "now"] as const,
  overviewHistories: ["overview", "history"] as const,
  overviewHistory: (days: number) => ["overview", "history", days] as const,
  clientLists: ["clients", "list"] as const,
  clientList: (filter: ClientFilter) => ["clients", "list", filter] as const,
  client: (id: number) => ["clients", "one", id] as const,
  score: (id: number) => ["clients", "score", id] as const,
  orders: (clientId: number) => ["orders", clientId] as const,
  emailLists: ["emails", "list"] as const,
  emailList: (filter: EmailFilter) => ["emails", "list", filter] as const,
  email: (episodeId: string) => ["emails", "one", episodeId] as const,
};
