// What can go wrong with a request, as one typed error that a page can show.

export interface FieldProblem {
  field: string | null;
  detail: string;
}

export type ProblemKind = "problem" | "unreachable" | "timeout" | "protocol";

export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly kind: ProblemKind;
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly title: string;
  readonly detail: string | null;
  readonly fields: FieldProblem[];
  /** The scopes that the caller's token lacks, when that is the problem. */
  readonly missing: readonly string[];
  /** Whether the answer names a time to try again (`Retry-After`). */
  readonly waits: boolean;

  constructor(
    kind: ProblemKind,
    status: number,
    title: string,
    detail: string | null = null,
    fields: FieldProblem[] = [],
    missing: readonly string[] = [],
    waits = false,
  ) {
    super(detail === null ? title : `${title}: ${detail}`);
    this.kind = kind;
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.fields = fields;
    this.missing = missing;
    this.waits = waits;
  }
}

/** Read which scopes a challenge asks for (RFC 6750, section 3). */
export function missingScopes(challenge: string | null): string[] {
  const scope = /\bscope="([^"]*)"/.exec(challenge ?? "")?.[1] ?? "";
  return scope.split(" ").filter((each) => each !== "");
}

/** What someone without a permission can do about it. */
export function askFor(scopes: readonly string[]): string {
  const what = scopes.length === 1 ? "the permission" : "the permissions";
  return (
    `You need ${what} ${scopes.join(" and ")}. ` +
    "Ask whoever manages your shop's accounts for it, then sign out and in again."
  );
}

/**
 * Whether asking again may help: no answer, or one that blames the server or the moment. A conflict
 * that says when to try again is with an earlier try of the same request, which is in progress.
 */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return false;
  if (error.status === 409) return error.waits;
  return error.status === 0 || error.status === 429 || error.status >= 500;
}

/** One sentence on what the reader can do about it. */
export function whatToDo(error: unknown): string {
  if (!(error instanceof ProblemError)) {
    return "This is a fault in the page. Reload it; if it comes back, tell the team what you did.";
  }
  if (error.kind === "unreachable") {
    return "Check that the API is running and that you are connected, then try again.";
  }
  if (error.kind === "timeout") return "The API is slow to answer. Try again in a moment.";
  if (error.status === 401) return "Sign out and in again.";
  if (error.status === 403) {
    return error.missing.length > 0
      ? askFor(error.missing)
      : "Your account may not do this. Ask whoever manages your shop's accounts.";
  }
  if (error.status === 404) return "It may have been erased, or the address is wrong.";
  if (error.status === 409 && error.waits) {
    return "An earlier try is still in progress. Wait a moment, then try again.";
  }
  if (error.status === 409 || error.status === 412) {
    return "Close this, look at how it stands now, then try again.";
  }
  if (error.status === 422) return "Correct what is marked and send it again.";
  if (error.status === 429) return "Too many requests. Wait a moment, then try again.";
  if (error.status >= 500) return "The server failed. Try again; its log has the reason.";
  return "Reload the page and try again.";
}
