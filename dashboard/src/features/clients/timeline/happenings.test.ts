// Orders, episodes and emails on one line of business time.
import { describe, expect, it } from "vitest";
import { orderRow } from "../../../test/examples.ts";
import { happeningsOf } from "./happenings.ts";
import { partsOf, pointAt, staysOf } from "./history.ts";
import { labelledOf } from "./labels.ts";
import type { Curve, Episode, Written } from "./shapes.ts";

const episode: Episode = {
  episode_id: "42-20600",
  state: "written",
  reason: "approved",
  opened_at: "2026-10-03T00:00:00Z",
  last_order_day: "2026-08-02",
  crossing_day: "2026-10-02",
  score: 0.2,
  value_at_risk: { amount: "129.40", currency: "USD" },
};
const written: Written = {
  episode_id: "42-20600",
  state: "recovered",
  reason: "ordered",
  email: { subject: "We miss you", written_as_of: "2026-10-04T08:00:00Z" },
};

describe("happeningsOf", () => {
  it("draws a time at risk from its crossing to the next counted order", () => {
    const orders = [
      orderRow({ id: 9, ordered_at: "2026-10-20T09:00:00Z" }),
      orderRow({ id: 8, ordered_at: "2026-10-05T09:00:00Z", status: "cancelled" }),
      orderRow({ id: 7, ordered_at: "2026-08-02T09:00:00Z" }),
    ];
    const { marks, spans } = happeningsOf(orders, [episode], [written], "2026-11-22");
    expect(spans).toEqual([
      {
        id: "42-20600",
        from: Date.parse("2026-10-02"),
        to: Date.parse("2026-10-20T09:00:00Z"),
        isOpen: false,
      },
    ]);
    expect(marks.map((mark) => mark.id)).toEqual([
      "order-7",
      "opened-42-20600",
      "email-42-20600",
      "order-8",
      "order-9",
      "back-42-20600",
    ]);
  });

  it("leaves a time at risk open until today when no order has come", () => {
    const { spans } = happeningsOf([], [episode], [], "2026-11-22");
    expect(spans[0]).toMatchObject({ to: Date.parse("2026-11-22"), isOpen: true });
  });

  it("tells the email's newest state and its subject, or why there is none", () => {
    const told = (emails: Written[]): string[] =>
      happeningsOf([], [episode], emails, "2026-11-22")
        .marks.filter((mark) => mark.lane === "emails")
        .flatMap((mark) => [mark.title, ...mark.lines]);
    expect(told([written])).toEqual(["Email, recovered", "“We miss you”"]);
    const none = { ...written, email: null, state: "held_out" as const, reason: "holdout" };
    expect(told([none])).toEqual(["No email: held out", "holdout"]);
  });
});

const curve: Curve = {
  client_id: 42,
  as_of: "2026-11-22",
  policy_version: 1,
  entry: 0.3,
  exit: 0.33,
  crossing_day: "2026-11-24",
  lapse_day: null,
  points: [
    { day: "2026-11-19", score: null, state: "no_orders" },
    { day: "2026-11-20", score: 0.4, state: "active" },
    { day: "2026-11-21", score: 0.38, state: "active" },
    { day: "2026-11-22", score: 0.35, state: "active" },
    { day: "2026-11-23", score: 0.31, state: "active" },
    { day: "2026-11-24", score: 0.29, state: "at_risk" },
  ],
};

describe("the curve", () => {
  it("is past until today and future from today, without days that have no score", () => {
    const { past, future } = partsOf(curve);
    expect(past.map((point) => point.day)).toEqual(["2026-11-20", "2026-11-21", "2026-11-22"]);
    expect(future.map((point) => point.day)).toEqual(["2026-11-22", "2026-11-23", "2026-11-24"]);
  });

  it("reads as stretches of one state up to today", () => {
    expect(staysOf(curve)).toEqual([
      { state: "active", from: "2026-11-20", to: null, first: 0.4, last: 0.35 },
      { state: "no_orders", from: "2026-11-19", to: "2026-11-19", first: null, last: null },
    ]);
  });

  it("finds the point of any moment of a day, and none beyond its ends", () => {
    expect(pointAt(curve, Date.parse("2026-11-23T18:00:00Z"))?.score).toBe(0.31);
    expect(pointAt(curve, Date.parse("2026-11-25"))).toBeNull();
    expect(pointAt(curve, Date.parse("2026-11-18T23:00:00Z"))).toBeNull();
  });
});

it("labels today first, then whatever has room beside it", () => {
  const labelled = labelledOf([
    { kind: "crossing", left: 200 },
    { kind: "lapse", left: 480 },
    { kind: "today", left: 500 },
  ]);
  expect([...labelled].sort()).toEqual(["crossing", "today"]);
});
