// The session as the shell reaches it, to sign out.
import { createContext, use } from "react";
import type { Session } from "../auth/session.ts";

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = use(SessionContext);
  if (session === null) throw new Error("useSession outside of App");
  return session;
}
