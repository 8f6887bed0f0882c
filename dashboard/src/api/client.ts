// The one door to the API: JSON in, JSON out, and every failure a ProblemError.
import { ProblemError, type FieldProblem } from "./problem.ts";

/** Longer than any answer the API promises; after it the request is given up. */
const TIMEOUT_MS = 15_000;

export interface RequestOptions {
  method?: "GET" | "POST" | "PATCH";
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
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
  const response = await send(path, options);
  if (!response.ok) throw await problemOf(response);
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

async function send(path: string, options: RequestOptions): Promise<Response> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const hasBody = options.body !== undefined;
  try {
    return await fetch(path, {
      method: options.method ?? "GET",
      headers: {
        accept: "application/json, application/problem+json",
        ...(hasBody ? { "content-type": "application/json" } : {}),
        ...options.headers,
      },
      signal: options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]),
      ...(hasBody ? { body: JSON.stringify(options.body) } : {}),
    });
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    if (limit.aborted) {
      throw new ProblemError("timeout", 0, "The API did not answer within 15 s");
    }
    throw new ProblemError("unreachable", 0, "The API cannot be reached");
  }
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
