// What the person who is signed in may do: what they may not is not offered.
import { createContext, use, type ReactNode } from "react";
import type { Me } from "./session.ts";

export type Scope =
  | "clients:read"
  | "clients:write"
  | "emails:read"
  | "emails:approve"
  | "policy:read"
  | "policy:write"
  | "ops:read"
  | "ops:replay"
  | "pii:read";

export const MeContext = createContext<Me | null>(null);

/** The person who is signed in. */
export function useMe(): Me {
  const me = use(MeContext);
  if (me === null) throw new Error("useMe outside of SessionGate");
  return me;
}

/** Whether the person has all of these permissions. */
export function useMay(...scopes: Scope[]): boolean {
  const me = useMe();
  return scopes.every((scope) => me.scopes.includes(scope));
}

/** Shows its children to those who have the permission. */
export function May({ scope, children }: { scope: Scope; children: ReactNode }) {
  return useMay(scope) ? children : null;
}
