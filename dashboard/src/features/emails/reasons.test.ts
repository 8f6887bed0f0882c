// Every reason that the mailer gives reads as a sentence that says what one can do.
import { describe, expect, it } from "vitest";
import type { EmailState } from "../../api/types.ts";
import { reasonOf } from "./reasons.ts";
import { sentence } from "./words.ts";

function about(state: EmailState, reason: string, until: string | null = null) {
  return reasonOf({ state, reason, until, crossing_day: "2026-11-02" });
}

/** As services/mailer writes them. */
const GIVEN: [EmailState, string][] = [
  ["held_out", "drawn into the holdout"],
  ["held", "fell at risk too long ago to write unasked"],
  ["held", "released by a person: goes on in its turn"],
  ["pending", "fell at risk"],
  ["pending", "its time has come"],
  ["pending", "fell at risk again: no order is counted since"],
  ["pending", "to be tried again by a person"],
  ["pending", "the worker's lease ran out"],
  ["pending", "paused: no credit is left (402)"],
  ["pending", "waits for the budget: the day's 5 USD are spent"],
  ["deferred", "frequency cap: one email in 30 days"],
  ["deferred", "quiet hours where the client lives"],
  ["deferred", "the client's time zone is unknown, so its quiet hours cannot be kept"],
  ["draft", "the text passed the checks"],
  ["written", "approved by a person"],
  ["written", "approved by policy 3"],
  ["written", "the text was final once before: it is kept"],
  ["written", "not sent yet: the server refused the sender: 451 4.7.1"],
  ["sent", "the server took the message"],
  ["uncertain", "the connection broke before the server had answered"],
  ["recovered", "an order was counted"],
  ["recovered", "the score rose: late or corrected data"],
  ["recovered", "fell at risk again, but too long ago to write unasked: a person may release it"],
  ["suppressed", "the client does not consent"],
  ["suppressed", "the client's address is suppressed"],
  ["suppressed", "the client was erased"],
  ["suppressed", "the frequency cap will not pass before the client lapses"],
  ["suppressed", "the client has no address that emails can be sent to"],
  ["suppressed", "the server refused the recipient: 550 5.1.1"],
  ["rejected", "rejected by a person"],
  ["rejected", "no usable text in 2 tries: offer, number"],
  ["rejected", "the model refused"],
  ["failed", "all attempts are used up: the model failed (503)"],
  ["failed", "the request was refused (400)"],
  ["failed", "moderation stopped the prompt (403)"],
  ["failed", "not sent, as a person found out"],
];

describe("reasonOf", () => {
  it.each(GIVEN)("puts %s, “%s”, into words and says what to do", (state, reason) => {
    const { why, todo } = about(state, reason);
    expect(why).not.toBe(sentence(reason));
    expect(why).toMatch(/^[A-Z].*\.$/);
    expect(todo).toMatch(/^[A-Z].*\.$/);
    expect(`${why} ${todo}`).not.toContain("undefined");
  });

  it("names the rules that the text broke, and the code it failed with", () => {
    expect(about("rejected", "no usable text in 2 tries: offer, number").why).toContain(
      "it promised a discount, a gift or a price; it named a number",
    );
    expect(about("failed", "the request was refused (400)").why).toContain("code 400");
  });

  it("says until when a capped email waits", () => {
    const until = "2026-12-24T12:00:00Z";
    expect(about("deferred", "frequency cap: one email in 30 days", until).why).toMatch(
      /less than 30 days ago.* 24 Dec 2026/,
    );
  });

  it("quotes a reason that it does not know, instead of guessing", () => {
    expect(about("failed", "the moon was full").why).toBe("The moon was full.");
  });
});
