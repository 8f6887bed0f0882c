// What is written for a spreadsheet cannot make it calculate.
import { expect, it } from "vitest";
import { rejectedCsv } from "./csvFile.ts";

it("keeps the row as it was, with its line and what is wrong, and no cell that calculates", () => {
  const cells = ["=HYPERLINK(1)", "+43 1", "-2", "@sum", "a, \"b\""];
  const problems = [{ column: "name", detail: "is too long" }];
  const text = rejectedCsv(["name", "phone", "n", "x", "y"], [{ line: 3, cells, problems }]);
  expect(text).toBe(
    "line,problem,name,phone,n,x,y\r\n" +
      `3,name: is too long,"'=HYPERLINK(1)","'+43 1","'-2","'@sum","a, ""b"""`,
  );
});
