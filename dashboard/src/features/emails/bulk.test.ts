// Work on many items goes on a few at a time, and stops when it is told to.
import { expect, it } from "vitest";
import { eachOf } from "./bulk.ts";

it("works on every item once, and never on more at a time than allowed", async () => {
  const seen: number[] = [];
  let open = 0;
  let most = 0;
  await eachOf(
    [1, 2, 3, 4, 5, 6, 7],
    3,
    async (item) => {
      open += 1;
      most = Math.max(most, open);
      await Promise.resolve();
      seen.push(item);
      open -= 1;
    },
    () => true,
  );
  expect(seen.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

it("begins nothing more once it is stopped", async () => {
  const seen: number[] = [];
  await eachOf(
    [1, 2, 3, 4],
    1,
    (item) => {
      seen.push(item);
      return Promise.resolve();
    },
    () => seen.length < 2,
  );
  expect(seen).toEqual([1, 2]);
});
