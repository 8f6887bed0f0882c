// The pages that one can go to, what they are called, and the permission that each needs.
import type { Scope } from "../auth/may.tsx";

export interface PageData {
  title: string;
  scope: Scope;
}

export const OVERVIEW = { title: "Overview", scope: "clients:read" } as const satisfies PageData;
export const CLIENTS = { title: "Clients", scope: "clients:read" } as const satisfies PageData;
export const EMAILS = { title: "Emails", scope: "emails:read" } as const satisfies PageData;
export const POLICY = { title: "Policy", scope: "policy:read" } as const satisfies PageData;
export const OPERATIONS = { title: "Operations", scope: "ops:read" } as const satisfies PageData;

export const PAGES = [
  { to: "/", ...OVERVIEW },
  { to: "/clients", ...CLIENTS },
  { to: "/emails", ...EMAILS },
  { to: "/policy", ...POLICY },
  { to: "/operations", ...OPERATIONS },
] as const;
