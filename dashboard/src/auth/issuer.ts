// Signs in at the OIDC issuer that the API names: code flow with PKCE, by oidc-client-ts.
import {
  ErrorResponse,
  UserManager,
  WebStorageStateStore,
  type User,
} from "oidc-client-ts";
import { ProblemError } from "../api/problem.ts";

/** What the API says about signing in, `GET /api/auth`. */
export interface AuthInfo {
  issuer: string;
  client_id: string;
  audience: string;
  scopes: readonly string[];
}

export interface Tokens {
  access: string;
  /** Wall time in ms from which the token no longer holds. */
  expiresAt: number;
}

/** The issuer said no, so that asking again without the person does not help. */
export class SignInRefused extends Error {
  override readonly name = "SignInRefused";
}

export interface Issuer {
  /** What this tab kept from an earlier sign-in. */
  kept: () => Promise<Tokens | null>;
  /** Leave for the issuer's page; the person comes back to CALLBACK_PATH. */
  begin: (returnTo: string) => Promise<void>;
  /** Take what the issuer sent back; returns where the person was going. */
  finish: (url: string) => Promise<{ tokens: Tokens; returnTo: string }>;
  /** Get other tokens without the person; throws SignInRefused when they must sign in again. */
  renew: () => Promise<Tokens>;
  /** Forget the tokens, and leave for the issuer's sign-out where it has one. */
  end: () => Promise<"left" | "here">;
  forget: () => Promise<void>;
}

export const CALLBACK_PATH = "/signed-in";

const TIMEOUT_S = 10;

function tokensOf(user: User): Tokens {
  return { access: user.access_token, expiresAt: (user.expires_at ?? Infinity) * 1000 };
}

/** Only an address of this page: nothing that came from elsewhere leads a person away. */
export function safePath(state: unknown): string {
  if (typeof state !== "string") return "/";
  return /^\/(?![/\\])/.test(state) && !state.startsWith(CALLBACK_PATH) ? state : "/";
}

async function translated<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ErrorResponse) {
      throw new SignInRefused(error.error_description ?? error.error ?? "no reason given", {
        cause: error,
      });
    }
    if (error instanceof Error && error.message.startsWith("No matching state")) {
      throw new SignInRefused("this sign-in was begun in another tab, or too long ago", {
        cause: error,
      });
    }
    throw new ProblemError("unreachable", 0, "The sign-in service cannot be reached");
  }
}

export function createIssuer(info: AuthInfo, origin: string): Issuer {
  // The tokens live as long as the tab: a reload keeps them, another site or tab never sees them.
  const store = new WebStorageStateStore({ store: window.sessionStorage });
  const manager = new UserManager({
    authority: info.issuer,
    client_id: info.client_id,
    redirect_uri: origin + CALLBACK_PATH,
    post_logout_redirect_uri: `${origin}/`,
    scope: ["openid", "profile", "offline_access", ...info.scopes].join(" "),
    extraQueryParams: { audience: info.audience },
    userStore: store,
    stateStore: store,
    automaticSilentRenew: false,
    requestTimeoutInSeconds: TIMEOUT_S,
    revokeTokensOnSignout: false,
  });
  return {
    kept: async () => {
      const user = await manager.getUser();
      return user === null ? null : tokensOf(user);
    },
    begin: (returnTo) => translated(() => manager.signinRedirect({ state: returnTo })),
    finish: (url) =>
      translated(async () => {
        const user = await manager.signinRedirectCallback(url);
        return { tokens: tokensOf(user), returnTo: safePath(user.state) };
      }),
    renew: () =>
      translated(async () => {
        const user = await manager.getUser();
        if (user?.refresh_token === undefined) throw new SignInRefused("the session has ended");
        const renewed = await manager.signinSilent();
        if (renewed === null) throw new SignInRefused("the session has ended");
        return tokensOf(renewed);
      }),
    end: () =>
      translated(async () => {
        if ((await manager.metadataService.getEndSessionEndpoint()) === undefined) {
          await manager.removeUser();
          return "here";
        }
        await manager.signoutRedirect();
        return "left";
      }),
    forget: () => manager.removeUser(),
  };
}
