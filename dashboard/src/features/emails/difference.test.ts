// What an edit takes out and puts in, and the draft behind it.
import { describe, expect, it } from "vitest";
import { decision } from "../../test/examples.ts";
import { draftBefore, tally, wordsChanged } from "./difference.ts";

const MODEL = {
  subject: "For you, Ada",
  body: "Hello Ada,\n\nwe have new vinyl.\n\nWarm regards,\nYour shop",
};
const ONCE = {
  subject: "For you, dear Ada",
  body: "Hello Ada,\n\nwe have kept a place for you.\nCome by.\n\nWarm regards,\nYour shop",
};
const TWICE = { ...ONCE, body: `${ONCE.body}!` };

/** As Python's difflib.unified_diff writes them for the mailer. */
const FIRST =
  "--- draft\n+++ edited\n@@ -1,8 +1,9 @@\n-For you, Ada\n+For you, dear Ada\n \n Hello Ada,\n \n" +
  "-we have new vinyl.\n+we have kept a place for you.\n+Come by.\n \n Warm regards,\n Your shop";
const SECOND =
  "--- draft\n+++ edited\n@@ -6,4 +6,4 @@\n Come by.\n \n Warm regards,\n-Your shop\n+Your shop!";

function edit(id: number, difference: string | null) {
  return decision({ id, action: "edit", outcome: "applied", difference });
}

describe("wordsChanged", () => {
  it("names whole words, and joins up to either text", () => {
    const runs = wordsChanged("we have new vinyl", "we have some old vinyl");
    const text = (without: string): string =>
      runs.filter((run) => run.kind !== without).map((run) => run.text).join("");
    expect(text("added")).toBe("we have new vinyl");
    expect(text("removed")).toBe("we have some old vinyl");
    expect(tally(runs)).toEqual({ added: 2, removed: 1 });
  });

  it("keeps markup as mere words", () => {
    expect(wordsChanged("", "<b>hi</b>")).toEqual([{ kind: "added", text: "<b>hi</b>" }]);
  });
});

describe("draftBefore", () => {
  it("takes every edit back, the newest first", () => {
    expect(draftBefore(TWICE, [edit(1, FIRST), edit(2, SECOND)])).toEqual(MODEL);
    expect(draftBefore(ONCE, [edit(1, FIRST)])).toEqual(MODEL);
  });

  it("passes over edits that were refused or changed nothing", () => {
    const refused = decision({ id: 3, action: "edit", outcome: "refused" });
    expect(draftBefore(ONCE, [edit(1, FIRST), edit(2, ""), refused])).toEqual(MODEL);
  });

  it("is not known where nobody edited, a difference is gone, or it does not fit", () => {
    expect(draftBefore(MODEL, [decision()])).toBeNull();
    expect(draftBefore(ONCE, [edit(1, null)])).toBeNull();
    expect(draftBefore(MODEL, [edit(1, SECOND)])).toBeNull();
  });
});
