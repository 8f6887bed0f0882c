// How a person's decision stands, from what the page sent and what the mailer noted.
import { describe, expect, it } from "vitest";
import type { EmailState } from "../../api/types.ts";
import { decision, emailDetail } from "../../test/examples.ts";
import { choicesOf, editTo, rejectFor, standingOf, type Sent } from "./choices.ts";

const SENT: Sent = { id: 5, episodeId: "42-20600", action: "release", state: "held", at: 1_000 };

describe("choicesOf", () => {
  it("offers what the state allows and nothing else", () => {
    const actionsOf = (state: EmailState) =>
      choicesOf(emailDetail({ state })).map((choice) => choice.action);
    expect(actionsOf("held")).toEqual(["release"]);
    expect(actionsOf("failed")).toEqual(["retry"]);
    expect(actionsOf("rejected")).toEqual(["retry"]);
    expect(actionsOf("draft")).toEqual(["approve"]);
    expect(actionsOf("written")).toEqual([]);
    expect(actionsOf("recovered")).toEqual([]);
  });

  it("offers no second release to what waits for its turn", () => {
    const until = "2026-11-22T09:00:00Z";
    expect(choicesOf(emailDetail({ state: "held", until }))).toEqual([]);
  });

  it("offers to release what fell at risk again too long ago", () => {
    const reason = "fell at risk again, but too long ago to write unasked: a person may release it";
    const choices = choicesOf(emailDetail({ state: "recovered", reason }));
    expect(choices.map((choice) => choice.action)).toEqual(["release"]);
  });

  it("lets a person say how an uncertain delivery ended, either way", () => {
    const payloads = choicesOf(emailDetail({ state: "uncertain" })).map(({ payload }) => payload);
    expect(payloads).toEqual([{ sent: true }, { sent: false }]);
  });

  it("sends the reason of a rejection with it", () => {
    expect(rejectFor("Wrong tone")).toMatchObject({
      action: "reject",
      payload: { reason: "Wrong tone" },
    });
  });

  it("sends the whole new wording of a draft", () => {
    const wording = { subject: "Hello", body: "Anew" };
    expect(editTo(wording)).toMatchObject({ action: "edit", payload: wording });
  });
});

describe("standingOf", () => {
  it("waits until the row moves on", () => {
    const row = emailDetail();
    expect(standingOf(row, undefined, SENT)).toMatchObject({ kind: "waiting", since: 1_000 });
    expect(standingOf(emailDetail({ state: "pending" }), undefined, SENT).kind).toBe("none");
  });

  it("waits until the mailer notes the outcome, even when the row looks the same", () => {
    const applied = emailDetail({ decisions: [decision({ outcome: "applied" })] });
    expect(standingOf(applied, applied, SENT).kind).toBe("none");
  });

  it("says why a decision was refused", () => {
    const refused = emailDetail({
      decisions: [decision({ outcome: "refused", outcome_reason: "an order came" })],
    });
    expect(standingOf(refused, refused, SENT)).toEqual({
      kind: "refused",
      reason: "an order came",
    });
  });

  it("is not settled by the outcome of an earlier decision", () => {
    const earlier = emailDetail({ decisions: [decision({ id: 4, outcome: "refused" })] });
    expect(standingOf(earlier, earlier, SENT).kind).toBe("waiting");
  });

  it("still waits after a reload, from what is stored", () => {
    const stored = emailDetail({ decisions: [decision({ id: 3, outcome: "applied" }), decision()] });
    expect(standingOf(stored, stored, null)).toMatchObject({ kind: "waiting", action: "release" });
  });
});
