// Pure: the days that matter, and which of them have room for their label.
import { day } from "../../../shared/format.ts";
import type { Curve } from "./shapes.ts";

/** Room that one label takes on the line, in pixels. */
const LABEL_PX = 92;

export interface DayMark {
  kind: "today" | "crossing" | "lapse";
  at: number;
  text: string;
}

/** Today, and what comes: the crossing and the lapse, as far as there are any. */
export function dayMarksOf(curve: Curve): DayMark[] {
  const { as_of, crossing_day, lapse_day } = curve;
  const marks: DayMark[] = [{ kind: "today", at: Date.parse(as_of), text: "today" }];
  if (crossing_day !== null) {
    const text = `at risk ${day(crossing_day, as_of)}`;
    marks.push({ kind: "crossing", at: Date.parse(crossing_day), text });
  }
  if (lapse_day !== null) {
    marks.push({ kind: "lapse", at: Date.parse(lapse_day), text: `lapses ${day(lapse_day, as_of)}` });
  }
  return marks.sort((a, b) => a.at - b.at);
}

/** Which marks have room for their label; today comes first, then the earlier ones. */
export function labelledOf(
  marks: readonly { kind: DayMark["kind"]; left: number }[],
): Set<DayMark["kind"]> {
  const byRank = [...marks].sort(
    (a, b) => Number(b.kind === "today") - Number(a.kind === "today") || a.left - b.left,
  );
  const placed: { left: number }[] = [];
  return new Set(
    byRank
      .filter((mark) => {
        const fits = placed.every((other) => Math.abs(other.left - mark.left) >= LABEL_PX);
        if (fits) placed.push(mark);
        return fits;
      })
      .map((mark) => mark.kind),
  );
}
