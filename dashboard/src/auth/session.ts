// Who is signed in, from the first look at the page to the sign-out; knows no React.
import { request } from "../api/client.ts";
import { speakFor } from "../api/credentials.ts";
import { ProblemError } from "../api/problem.ts";
import { createStore, type Store } from "../shared/store.ts";
import { CALLBACK_PATH, SignInRefused, type AuthInfo, type Issuer, type Tokens } from "./issuer.ts";

/** What the API says about the caller, `GET /api/me`. */
export interface Me {
  subject: string;
  name: string;
  scopes: readonly string[];
}

export type SessionState =
  | { is: "starting" }
  /** Nobody is signed in: not yet, no longer by one's own will, or because the time was over. */
  | { is: "out"; why: "new" | "left" | "ended" }
  /** The issuer, or the API, said no. */
  | { is: "refused"; detail: string }
  /** Whether someone is signed in cannot be found out now. */
  | { is: "unreachable"; error: unknown }
  | { is: "in"; me: Me };

export interface Session {
  state: Store<SessionState>;
  /** Find out who is signed in; again after "unreachable". */
  start: () => Promise<void>;
  signIn: () => Promise<void>;
  signOut: () => Promise<void>;
}

export interface Surroundings {
  createIssuer: (info: AuthInfo) => Issuer;
  /** The address that is shown: path, search and hash. */
  address: () => string;
  /** Show another address without loading it. */
  show: (address: string) => void;
  now: () => number;
}

/** A token this close to its end is renewed before it is used, in ms. */
const SOON_MS = 60_000;

export function createSession(around: Surroundings): Session {
  const state = createStore<SessionState>({ is: "starting" });
  let issuer: Issuer | null = null;
  let tokens: Tokens | null = null;
  let looking: Promise<void> | null = null;
  let renewing: Promise<string | null> | null = null;

  async function issuerOf(): Promise<Issuer> {
    issuer ??= around.createIssuer(await request<AuthInfo>("/api/auth"));
    return issuer;
  }

  function ended(): null {
    tokens = null;
    void issuer?.forget();
    state.set({ is: "out", why: "ended" });
    return null;
  }

  /** One renewal at a time: an issuer takes each refresh token once. */
  function renewOnce(from: Issuer): Promise<string | null> {
    renewing ??= from
      .renew()
      .then((next) => {
        tokens = next;
        return next.access;
      })
      .catch((error: unknown) => {
        if (error instanceof SignInRefused) return ended();
        throw error;
      })
      .finally(() => {
        renewing = null;
      });
    return renewing;
  }

  async function token(): Promise<string | null> {
    if (tokens === null || issuer === null) return null;
    if (tokens.expiresAt - around.now() > SOON_MS) return tokens.access;
    return renewOnce(issuer);
  }

  async function renew(refused: string): Promise<string | null> {
    if (tokens === null || issuer === null) return null;
    return tokens.access === refused ? renewOnce(issuer) : tokens.access;
  }

  async function takeUp(found: Tokens): Promise<void> {
    tokens = found;
    speakFor({ token, renew });
    const me = await request<Me>("/api/me");
    state.set({ is: "in", me });
  }

  async function look(): Promise<void> {
    state.set({ is: "starting" });
    const from = await issuerOf();
    const address = around.address();
    if (address.startsWith(`${CALLBACK_PATH}?`)) {
      const done = await from.finish(window.location.origin + address);
      around.show(done.returnTo);
      await takeUp(done.tokens);
      return;
    }
    const kept = await from.kept();
    if (kept === null) state.set({ is: "out", why: "new" });
    else await takeUp(kept);
  }

  /** Do one step; what goes wrong becomes the state that the page shows. */
  async function attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof SignInRefused) {
        around.show("/");
        state.set({ is: "refused", detail: error.message });
      } else if (error instanceof ProblemError && error.status === 401) {
        if (state.get().is !== "out") ended();
      } else {
        state.set({ is: "unreachable", error });
      }
    }
  }

  return {
    state,
    start: () => {
      // What the issuer sent back can be used once only, and pages in development mount twice.
      looking ??= attempt(look).finally(() => {
        looking = null;
      });
      return looking;
    },
    signIn: () =>
      attempt(async () => {
        const address = around.address();
        await (await issuerOf()).begin(address);
      }),
    signOut: () =>
      attempt(async () => {
        const from = await issuerOf();
        if ((await from.end()) === "here") {
          tokens = null;
          state.set({ is: "out", why: "left" });
        }
      }),
  };
}
