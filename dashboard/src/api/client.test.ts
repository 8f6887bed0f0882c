// How answers and failures of the API reach the page.
import { afterEach, describe, expect, it, vi } from "vitest";
import { request, withParams } from "./client.ts";
import { isPassing, ProblemError, whatToDo } from "./problem.ts";

function answer(status: number, body: unknown, type = "application/json"): void {
  vi.stubGlobal("fetch", () =>
    Promise.resolve(new Response(JSON.stringify(body), { status, headers: { "content-type": type } })),
  );
}

async function failure(path = "/api/x"): Promise<ProblemError> {
  try {
    await request(path);
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error("the request did not fail");
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("request", () => {
  it("returns the JSON of a good answer", async () => {
    answer(200, { id: 1 });
    expect(await request("/api/x")).toEqual({ id: 1 });
  });

  it("turns a problem document into an error that names the fields as the form does", async () => {
    const errors = [
      { field: "body.email", detail: "is not an e-mail address" },
      { field: "body.style_tags.0", detail: "is too long" },
    ];
    answer(
      422,
      { title: "Unprocessable Content", status: 422, detail: "not valid", errors },
      "application/problem+json",
    );
    const error = await failure();
    expect(error).toMatchObject({ kind: "problem", status: 422, detail: "not valid" });
    expect(error.fields).toEqual([
      { field: "email", detail: "is not an e-mail address" },
      { field: "style_tags", detail: "is too long" },
    ]);
    expect(isPassing(error)).toBe(false);
  });

  it("says that the API cannot be reached when there is no answer", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    const error = await failure();
    expect(error).toMatchObject({ kind: "unreachable", status: 0 });
    expect(isPassing(error)).toBe(true);
    expect(whatToDo(error)).toContain("API is running");
  });

  it("says which permission is missing and whom to ask, from the challenge of a refusal", async () => {
    const headers = {
      "content-type": "application/problem+json",
      "www-authenticate": 'Bearer error="insufficient_scope", scope="ops:read pii:read"',
    };
    const body = JSON.stringify({ title: "Forbidden", status: 403 });
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status: 403, headers })));
    const error = await failure();
    expect(error.missing).toEqual(["ops:read", "pii:read"]);
    expect(whatToDo(error)).toContain("ops:read and pii:read");
    expect(whatToDo(error)).toContain("Ask whoever manages");
    expect(isPassing(error)).toBe(false);
  });

  it("refuses a page of HTML where JSON was promised", async () => {
    answer(200, "<html>", "text/html");
    expect((await failure()).kind).toBe("protocol");
  });

  it("reports a failure without a problem document by its status", async () => {
    answer(502, "bad gateway", "text/html");
    expect(await failure()).toMatchObject({ status: 502, title: "The API answered 502" });
  });

  it("lets an aborted request fail as aborted, not as a problem of the API", async () => {
    vi.stubGlobal("fetch", (_: string, init: RequestInit) =>
      Promise.reject(init.signal?.reason as Error),
    );
    const stop = new AbortController();
    stop.abort();
    await expect(request("/api/x", { signal: stop.signal })).rejects.toHaveProperty(
      "name",
      "AbortError",
    );
  });
});

describe("withParams", () => {
  it("leaves out what has no value and escapes the rest", () => {
    expect(withParams("/api/clients", { state: null, search: "a&b", cursor: "", limit: 50 })).toBe(
      "/api/clients?search=a%26b&limit=50",
    );
  });
});
