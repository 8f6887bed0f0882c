// How numbers, days and amounts read.
import { describe, expect, it } from "vitest";
import { daysBetween, isoOfDay } from "./days.ts";
import { day, money, percent, plural, seconds, signed, worth } from "./format.ts";

const plain = (text: string): string => text.replace(/\u202f/g, " ");

describe("percent", () => {
  it("rounds to whole percent, but never to a certainty that is none", () => {
    expect(["0.184", "0.001", "0.9999", "0", "1"].map((p) => plain(percent(Number(p))))).toEqual([
      "18 %",
      "<1 %",
      ">99 %",
      "0 %",
      "100 %",
    ]);
  });
});

describe("signed", () => {
  it("has a sign, and none for what rounds to nothing", () => {
    expect([1.589, -0.527, -0.001].map(signed)).toEqual(["+1.59", "−0.53", "0.00"]);
  });
});

describe("money and worth", () => {
  it("shows amounts with their currency", () => {
    expect(plain(money("1234.50", "USD"))).toBe("1,234.50 USD");
  });

  it("shows a worth exactly while it is small", () => {
    expect([worth(74.4), worth(1234.56)]).toEqual(["74.40", "1,235"]);
  });
});

describe("days", () => {
  it("leaves the year out only when it is the present one", () => {
    expect(day("2026-12-12", "2026-11-22")).toBe("12 Dec");
    expect(day("2027-01-05", "2026-11-22")).toBe("5 Jan 2027");
    expect(day("2026-12-12")).toBe("12 Dec 2026");
  });

  it("turns day numbers into dates and counts between dates", () => {
    expect(isoOfDay(0)).toBe("1970-01-01");
    expect(isoOfDay(20_779)).toBe("2026-11-22");
    expect(daysBetween("2026-02-27", "2026-03-02")).toBe(3);
    expect(daysBetween("2026-03-29", "2026-03-28")).toBe(-1);
  });
});

describe("plural and seconds", () => {
  it("counts in words", () => {
    expect([plural(1, "day"), plural(1200, "day")]).toEqual(["1 day", "1,200 days"]);
    expect([seconds(740), seconds(12_400)]).toEqual(["0.7 s", "12 s"]);
  });
});
