// How numbers, days and amounts read.
import { describe, expect, it } from "vitest";
import { daysBetween, isoOfDay } from "./days.ts";
import { day, money, percent, plural, seconds, signed } from "./format.ts";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");

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

describe("money", () => {
  const shown = (...[amount, currency, options]: Parameters<typeof money>): string =>
    plain(money(amount, currency, { locale: "en-GB", ...options }));

  it("shows amounts whole, with their currency", () => {
    expect(shown("1234.50", "USD")).toBe("USD 1,234.50");
    expect(shown("-90", "EUR")).toBe("-EUR 90.00");
  });

  it("is written as the viewer writes", () => {
    expect(shown("1234.50", "EUR", { locale: "de-DE" })).toBe("1.234,50 EUR");
    expect(shown("1234567.5", "USD", { locale: "en-IN" })).toBe("USD 12,34,567.50");
  });

  it("loses no digit to floating point", () => {
    expect(shown("99999999999999.99", "USD")).toBe("USD 99,999,999,999,999.99");
    expect(shown("9007199254740993.01", "USD")).toBe("USD 9,007,199,254,740,993.01");
  });

  it("shows every place that there is, and at least those of the currency", () => {
    expect(shown("0.00021", "USD")).toBe("USD 0.00021");
    expect(shown("2.1E-7", "USD")).toBe("USD 0.00000021");
    expect(shown("1234.00", "JPY")).toBe("JPY 1,234");
    expect(shown("1234.50", "JPY")).toBe("JPY 1,234.5");
  });

  it("rounds an estimate", () => {
    expect([shown(0.125001, "USD"), shown(74.4, "EUR")]).toEqual(["USD 0.13", "EUR 74.40"]);
  });

  it("is short on axes and tiles alone", () => {
    expect(shown("1234.50", "USD", { compact: true })).toBe("USD 1.2k");
    expect(shown("79.90", "USD", { compact: true })).toBe("USD 79.9");
    expect(shown("12345678.90", "EUR", { compact: true })).toBe("EUR 12.3m");
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
