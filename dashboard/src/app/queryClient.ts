// The cache's habits: live events keep it fresh, failures of the moment are tried again twice.
import { QueryClient } from "@tanstack/react-query";
import { isPassing } from "../api/problem.ts";

const RETRIES_MAX = 2;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        // The browser's own idea of being offline is wrong on machines with loopback only.
        networkMode: "always",
        retry: (failures, error) => failures < RETRIES_MAX && isPassing(error),
        retryDelay: (failures) => 400 * 2 ** failures,
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
