// Examples of emails that wait for approval, for tests to vary.
import type { EmailDetail, EmailText } from "../api/types.ts";
import { emailDetail } from "./examples.ts";

export function emailText(change: Partial<EmailText> = {}): EmailText {
  return {
    subject: "For you",
    body: "Hello Ada, we kept your place.",
    model: "m",
    provider: "p",
    generation_id: "g",
    prompt_version: "1",
    prompt_hash: "h",
    draft_hash: "d",
    sandbox: true,
    created_at: "2026-11-22T09:00:00Z",
    written_as_of: null,
    ...change,
  };
}

export function draft(id: string, name: string): EmailDetail {
  return emailDetail({
    episode_id: id,
    first_name: name,
    state: "draft",
    reason: "the text passed the checks",
    email: emailText({ draft_hash: `hash-${id}` }),
  });
}

export const DRAFTS = [draft("42-20600", "Ada"), draft("43-20600", "Bo"), draft("44-20600", "Cy")];
