// Pure: which key does what. Single letters act only after "g", and never while someone types.

export type Act = { kind: "go"; to: "/" | "/clients" | "/emails" | "/policy" | "/operations" }
  | { kind: "search" }
  | { kind: "help" };

const GO: Record<string, Extract<Act, { kind: "go" }>["to"]> = {
  o: "/",
  c: "/clients",
  e: "/emails",
  p: "/policy",
  x: "/operations",
};

/** How long "g" waits for the next letter. */
export const SEQUENCE_MS = 1_200;

export const SHORTCUTS: readonly (readonly [string, string])[] = [
  ["g o", "Overview"],
  ["g c", "Clients"],
  ["g e", "Emails"],
  ["g p", "Policy"],
  ["g x", "Operations"],
  ["/", "Search on this page"],
  ["?", "This list"],
];

/** What a key means, given the key before it (null when that is too long ago). */
export function actOf(key: string, before: string | null): Act | null {
  if (before === "g") {
    const to = GO[key];
    return to === undefined ? null : { kind: "go", to };
  }
  if (key === "/") return { kind: "search" };
  if (key === "?") return { kind: "help" };
  return null;
}
