// The one door to the API: JSON in, JSON out, and every failure a ProblemError.
import { withBearer } from "./credentials.ts";
import { missingScopes, ProblemError, type FieldProblem } from "./problem.ts";

/** Longer than any answer the API promises; after it the request is given up. */
const TIMEOUT_MS = 15_000;

export interface RequestOptions {
  method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** Longer than the usual 15 s, for what takes long by its nature. */
  timeoutMs?: number;
}

export type Params = Record<string, string | number | null | undefined>;

/** Add the parameters that have a value to a path. */
export function withParams(path: string, params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Call the API; throws ProblemError for anything but a 2xx with the JSON it promises. */
export async function request<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await respond(path, options);
  if (response.status === 204) return undefined as Answer;
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("json")) {
    throw new ProblemError("protocol", response.status, "The answer was not JSON");
  }
  try {
    return (await response.json()) as Answer;
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw new ProblemError("protocol", response.status, "The answer was cut off");
  }
}

/**
 * Call the API for an answer that is not one JSON document, such as a download or NDJSON; throws
 * ProblemError for anything but a 2xx. A body that is a text, a Blob or FormData goes as it is.
 */
export async function respond(path: string, options: RequestOptions = {}): Promise<Response> {
  const limit = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const { body, type } = bodyOf(options.body);
  try {
    const response = await withBearer((bearer) =>
      fetch(path, {
        method: options.method ?? "GET",
        headers: {
          accept: "application/json, application/problem+json",
          ...(type === null ? {} : { "content-type": type }),
          ...bearer,
          ...options.headers,
        },
        signal: options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]),
        ...(body === null ? {} : { body }),
      }),
    );
    if (!response.ok) throw await problemOf(response);
    return response;
  } catch (error) {
    if (options.signal?.aborted === true || error instanceof ProblemError) throw error;
    if (limit.aborted) {
      const waited = Math.round((options.timeoutMs ?? TIMEOUT_MS) / 1000);
      throw new ProblemError("timeout", 0, `The API did not answer within ${waited} s`);
    }
    throw new ProblemError("unreachable", 0, "The API cannot be reached");
  }
}

function bodyOf(body: unknown): { body: BodyInit | null; type: string | null } {
  if (body === undefined) return { body: null, type: null };
  if (typeof body === "string" || body instanceof Blob || body instanceof FormData) {
    return { body, type: null };
  }
  return { body: JSON.stringify(body), type: "application/json" };
}

async function problemOf(response: Response): Promise<ProblemError> {
  const status = response.status;
  const type = response.headers.get("content-type") ?? "";
  const body: unknown = type.includes("json") ? await response.json().catch(() => null) : null;
  if (typeof body !== "object" || body === null) {
    return new ProblemError("protocol", status, `The API answered ${status}`);
  }
  const { title, detail, errors } = body as Record<string, unknown>;
  return new ProblemError(
    "problem",
    status,
    typeof title === "string" ? title : `The API answered ${status}`,
    typeof detail === "string" ? detail : null,
    Array.isArray(errors) ? errors.map(fieldProblemOf) : [],
    status === 403 ? missingScopes(response.headers.get("www-authenticate")) : [],
    response.headers.has("retry-after"),
  );
}

/** Read one entry of `errors`: the API names a field by its place, such as "body.style_tags.0". */
function fieldProblemOf(entry: unknown): FieldProblem {
  if (typeof entry !== "object" || entry === null) return { field: null, detail: String(entry) };
  const { field, detail } = entry as Record<string, unknown>;
  const name = typeof field === "string" ? field.replace(/^body\./, "").split(".")[0] : undefined;
  return {
    field: name === undefined || name === "" || name === "body" ? null : name,
    detail: typeof detail === "string" ? detail : "is not valid",
  };
}
