// Creates something once: a try whose answer is not known is repeated under the same key.
import { request } from "./client.ts";
import { isPassing } from "./problem.ts";

/** The keys of creates without an answer, by what was sent. */
const unanswered = new Map<string, string>();

/**
 * POST with an `Idempotency-Key`; the same body and headers after a lost answer, or while the try
 * before is still in progress, count as the same try.
 */
export async function createOnce<Answer>(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const signature = `${path} ${JSON.stringify([headers, body])}`;
  const key = unanswered.get(signature) ?? crypto.randomUUID();
  unanswered.set(signature, key);
  try {
    const answer = await request<Answer>(path, {
      method: "POST",
      body,
      headers: { ...headers, "idempotency-key": key },
    });
    unanswered.delete(signature);
    return answer;
  } catch (error) {
    if (!isPassing(error)) unanswered.delete(signature);
    throw error;
  }
}
