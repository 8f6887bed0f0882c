// Who is signed in, and how that begins, is kept up and ends.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { request } from "../api/client.ts";
import { speakFor } from "../api/credentials.ts";
import { ProblemError } from "../api/problem.ts";
import { safePath, SignInRefused, type Issuer, type Tokens } from "./issuer.ts";
import { createSession } from "./session.ts";

const ME = { subject: "olivia", name: "Olivia", scopes: ["clients:read"] };
const MINUTE_MS = 60_000;

let now = 0;
let address = "/clients?state=at_risk";
/** The bearer tokens that the API accepts, and those that it was sent. */
let accepted: Set<string>;
let sent: (string | null)[];

function tokens(access: string, minutes = 10): Tokens {
  return { access, expiresAt: now + minutes * MINUTE_MS };
}

function issuer(change: Partial<Issuer> = {}): Issuer {
  return {
    kept: () => Promise.resolve(tokens("one")),
    begin: vi.fn(() => Promise.resolve()),
    finish: vi.fn(() => Promise.resolve({ tokens: tokens("one"), returnTo: "/emails" })),
    renew: vi.fn(() => Promise.resolve(tokens("two"))),
    end: () => Promise.resolve("here" as const),
    forget: vi.fn(() => Promise.resolve()),
    ...change,
  };
}

function session(of: Issuer) {
  return createSession({
    createIssuer: () => of,
    address: () => address,
    show: (next) => {
      address = next;
    },
    now: () => now,
  });
}

function answer(status: number, body: unknown): Response {
  const type = status < 400 ? "application/json" : "application/problem+json";
  return new Response(JSON.stringify(body), { status, headers: { "content-type": type } });
}

beforeEach(() => {
  now = 1_000_000;
  address = "/clients?state=at_risk";
  accepted = new Set(["one", "two"]);
  sent = [];
  vi.stubGlobal("window", { location: { origin: "http://here" } });
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    if (path === "/api/auth") return Promise.resolve(answer(200, {}));
    const bearer = new Headers(init.headers).get("authorization");
    sent.push(bearer);
    const isGood = accepted.has(bearer?.replace("Bearer ", "") ?? "");
    return Promise.resolve(isGood ? answer(200, ME) : answer(401, { title: "Unauthorized" }));
  });
});

afterEach(() => {
  speakFor(null);
  vi.unstubAllGlobals();
});

describe("signing in", () => {
  it("is needed when this tab keeps nothing, and leads back to where the person was", async () => {
    const of = issuer({ kept: () => Promise.resolve(null) });
    const here = session(of);
    await here.start();
    expect(here.state.get()).toEqual({ is: "out", why: "new" });
    await here.signIn();
    expect(of.begin).toHaveBeenCalledWith("/clients?state=at_risk");
  });

  it("is finished once, however often the page mounts, and asks the API who one is", async () => {
    address = "/signed-in?code=c&state=s";
    const of = issuer();
    const here = session(of);
    await Promise.all([here.start(), here.start()]);
    expect(of.finish).toHaveBeenCalledTimes(1);
    expect(of.finish).toHaveBeenCalledWith("http://here/signed-in?code=c&state=s");
    expect(address).toBe("/emails");
    expect(here.state.get()).toEqual({ is: "in", me: ME });
    expect(sent).toEqual(["Bearer one"]);
  });

  it("says what the issuer said when it refused", async () => {
    address = "/signed-in?error=access_denied&state=s";
    const refuse = () => Promise.reject(new SignInRefused("access_denied"));
    const here = session(issuer({ finish: refuse }));
    await here.start();
    expect(here.state.get()).toEqual({ is: "refused", detail: "access_denied" });
    expect(address).toBe("/");
  });

  it("can be tried again when the issuer cannot be reached", async () => {
    const error = new ProblemError("unreachable", 0, "The sign-in service cannot be reached");
    const begin = vi.fn<Issuer["begin"]>().mockRejectedValueOnce(error);
    const here = session(issuer({ kept: () => Promise.resolve(null), begin }));
    await here.start();
    await here.signIn();
    expect(here.state.get()).toEqual({ is: "unreachable", error });
    await here.start();
    expect(here.state.get()).toEqual({ is: "out", why: "new" });
  });

  it("leads back to addresses of this page only", () => {
    expect(safePath("/clients/42?x=1#y")).toBe("/clients/42?x=1#y");
    for (const state of ["//evil.example", "/\\evil.example", "https://evil.example", 7, null]) {
      expect(safePath(state)).toBe("/");
    }
    expect(safePath("/signed-in?code=again")).toBe("/");
  });
});

describe("being signed in", () => {
  it("sends the token with each request, and renews it before its end, once for all", async () => {
    const of = issuer();
    await session(of).start();
    now += 9.5 * MINUTE_MS;
    await Promise.all([request("/api/x"), request("/api/y")]);
    expect(of.renew).toHaveBeenCalledTimes(1);
    expect(sent).toEqual(["Bearer one", "Bearer two", "Bearer two"]);
  });

  it("renews a token that the API refuses, and sends the request again", async () => {
    const of = issuer();
    await session(of).start();
    accepted.delete("one");
    expect(await request("/api/x")).toEqual(ME);
    expect(sent.slice(1)).toEqual(["Bearer one", "Bearer two"]);
  });

  it("ends where the issuer renews no longer, and forgets the tokens", async () => {
    const refuse = () => Promise.reject(new SignInRefused("invalid_grant"));
    const of = issuer({ renew: refuse });
    const here = session(of);
    await here.start();
    accepted.clear();
    await expect(request("/api/x")).rejects.toHaveProperty("status", 401);
    expect(here.state.get()).toEqual({ is: "out", why: "ended" });
    expect(of.forget).toHaveBeenCalledTimes(1);
  });

  it("goes on while the issuer is only out of reach: the request fails, the session stays", async () => {
    const error = new ProblemError("unreachable", 0, "The sign-in service cannot be reached");
    const here = session(issuer({ renew: () => Promise.reject(error) }));
    await here.start();
    now += 9.5 * MINUTE_MS;
    await expect(request("/api/x")).rejects.toBe(error);
    expect(here.state.get().is).toBe("in");
  });

  it("ends by signing out", async () => {
    const here = session(issuer());
    await here.start();
    await here.signOut();
    expect(here.state.get()).toEqual({ is: "out", why: "left" });
    await request("/api/x").catch(() => undefined);
    expect(sent.at(-1)).toBeNull();
  });
});
