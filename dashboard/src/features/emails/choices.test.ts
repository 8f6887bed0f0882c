// How a person's decision stands, from what the page sent and what the mailer noted.
import { describe, expect, it } from "vitest";
import type { EmailState } from "../../api/types.ts";
import { decision, emailDetail } from "../../test/examples.ts";
import { choicesOf, editTo, standingOf, type Sent } from "./decisions.ts";

const SENT: Sent = { id: 5, episodeId: "42-20600", action: "release", state: "held", at: 1_000 };

describe("choicesOf", () => {
  it("offers what the state allows and nothing else", () => {
    const actionsOf = (state: EmailState) => choicesOf(state).map((choice) => choice.action);
    expect(actionsOf("held")).toEqual(["release"]);
    expect(actionsOf("failed")).toEqual(["retry"]);
    expect(actionsOf("rejected")).toEqual(["retry"]);
    expect(actionsOf("draft")).toEqual(["approve", "reject"]);
    expect(actionsOf("written")).toEqual([]);
  });

  it("lets a person say how an uncertain delivery ended, either way", () => {
    const payloads = choicesOf("uncertain").map((choice) => choice.payload);
    expect(payloads).toEqual([{ sent: true }, { sent: false }]);
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
