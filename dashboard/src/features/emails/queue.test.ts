// Which email comes next in the queue, also when the present one has left it.
import { describe, expect, it } from "vitest";
import { emailDetail } from "../../test/examples.ts";
import { neighboursOf, nextToDecide } from "./queue.ts";

const rows = ["1-1", "2-1", "3-1"].map((episode_id) => emailDetail({ episode_id, state: "draft" }));
const idsOf = (found: ReturnType<typeof neighboursOf>) => [
  found.previous?.episode_id ?? null,
  found.next?.episode_id ?? null,
];

describe("neighboursOf", () => {
  it("gives the row before and the row after, and the first one to begin with", () => {
    expect(idsOf(neighboursOf(rows, "2-1", 1))).toEqual(["1-1", "3-1"]);
    expect(idsOf(neighboursOf(rows, "3-1", 2))).toEqual(["2-1", null]);
    expect(idsOf(neighboursOf(rows, null, -1))).toEqual([null, "1-1"]);
  });

  it("keeps the place of a row that has left the list", () => {
    const left = rows.filter((row) => row.episode_id !== "2-1");
    expect(idsOf(neighboursOf(left, "2-1", 1))).toEqual(["1-1", "3-1"]);
  });
});

describe("nextToDecide", () => {
  const first = rows[0] ?? emailDetail();
  const last = rows[2] ?? emailDetail();

  it("goes on below, and round at the end", () => {
    expect(nextToDecide(rows, first, 0, () => false)?.episode_id).toBe("2-1");
    expect(nextToDecide(rows, last, 2, () => false)?.episode_id).toBe("1-1");
  });

  it("passes over what is decided already or in another state", () => {
    const mixed = [...rows, emailDetail({ episode_id: "4-1", state: "sent" })];
    expect(nextToDecide(mixed, first, 0, (id) => id === "2-1")?.episode_id).toBe("3-1");
    expect(nextToDecide(mixed, first, 0, () => true)).toBeNull();
  });
});
