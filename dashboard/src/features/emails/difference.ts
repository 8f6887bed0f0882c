// Pure: what an edit takes out and puts in, word by word, and the model's draft behind edits.
import { applyPatch, diffWordsWithSpace, parsePatch, reversePatch } from "diff";
import type { DecisionRow } from "../../api/types.ts";

/** A person's or the model's own wording of an email. */
export interface Wording {
  subject: string;
  body: string;
}

export interface Run {
  kind: "kept" | "added" | "removed";
  text: string;
}

/** The runs of words that lead from one text to another, in order. */
export function wordsChanged(before: string, after: string): Run[] {
  return diffWordsWithSpace(before, after).map(({ value, added, removed }) => ({
    kind: added ? "added" : removed ? "removed" : "kept",
    text: value,
  }));
}

/** How many words were added and removed. */
export function tally(runs: readonly Run[]): { added: number; removed: number } {
  const words = (kind: Run["kind"]): number =>
    runs
      .filter((run) => run.kind === kind)
      .reduce((sum, run) => sum + run.text.split(/\s+/).filter((word) => word !== "").length, 0);
  return { added: words("added"), removed: words("removed") };
}

/** The mailer compares lines of subject, blank line and body; the last one has no line end. */
function linesOf({ subject, body }: Wording): string {
  return `${subject}\n\n${body}\n`;
}

function wordingOf(lines: string): Wording {
  const [subject = "", ...rest] = lines.split("\n");
  return { subject, body: rest.slice(1).join("\n").replace(/\n$/, "") };
}

/**
 * The model's draft as it was before people edited it: their differences taken back, newest first.
 * Null where nobody edited it, or a difference is erased or does not fit the text.
 */
export function draftBefore(
  present: Wording,
  decisions: readonly Pick<DecisionRow, "id" | "action" | "outcome" | "difference">[],
): Wording | null {
  const edits = decisions
    .filter((each) => each.action === "edit" && each.outcome === "applied")
    .sort((one, other) => other.id - one.id);
  if (edits.length === 0) return null;
  let text = linesOf(present);
  for (const { difference } of edits) {
    if (difference === null) return null;
    if (difference === "") continue;
    const [patch] = parsePatch(`${difference}\n`);
    const before = patch === undefined ? false : applyPatch(text, reversePatch(patch));
    if (before === false) return null;
    text = before;
  }
  return wordingOf(text);
}
