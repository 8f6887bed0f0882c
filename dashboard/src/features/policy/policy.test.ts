// A policy while somebody works on it: its fields, what is wrong with it, and how it differs.
import { describe, expect, it } from "vitest";
import { DOCUMENT } from "../../test/policies.ts";
import { changesBetween, type ShopPolicy } from "./document.ts";
import { documentOf, draftOf, isFine, problemsOf, rebased, trialOf, type Draft } from "./draft.ts";
import { draftFrom, readPolicySearch, tryOf } from "./search.ts";
import { inWords } from "./words.ts";

const BASE: ShopPolicy = { ...DOCUMENT, theta: 0.29 };

function changed(change: (draft: Draft) => void): Draft {
  const draft = draftOf(BASE);
  change(draft);
  return draft;
}

describe("a draft", () => {
  it("shows shares in percent, and comes back unchanged", () => {
    const draft = draftOf(BASE);
    expect(draft.numbers.theta).toBe("29");
    expect(documentOf(BASE, draft)).toEqual(BASE);
    expect(isFine(problemsOf(draft))).toBe(true);
  });

  it("becomes a policy with what was set, and all else as it was", () => {
    const draft = changed((each) => {
      each.numbers.theta = "42,5";
      each.numbers["emails.cap_days"] = "14";
      each.autoApprove = false;
      each.quiet = { on: true, begin: "21:00", end: "08:00" };
    });
    const tried = documentOf(BASE, draft);
    expect(tried).toEqual({
      ...BASE,
      theta: 0.425,
      auto_approve: false,
      emails: { ...BASE.emails, cap_days: 14, quiet_hours: { begin: "21:00", end: "08:00" } },
    });
    expect(trialOf(BASE, tried)).toEqual({ theta: 0.425, auto_approve: false });
  });

  it("says at both fields that the silence must be shorter than the lapse", () => {
    const problems = problemsOf(changed((each) => (each.numbers.silence_max_days = "180")));
    expect(problems.silence_max_days).toContain("below the lapse of 180 days");
    expect(problems.lapse_days).toContain("above the longest silence of 180 days");
  });

  it.each([
    ["theta", "0"],
    ["theta", "100"],
    ["rho", "abc"],
    ["exit_factor", "1"],
    ["exit_factor", "2.01"],
    ["silence_max_days", "10.5"],
    ["holdout_percent", "51"],
    ["emails.cap_days", "-1"],
    ["emails.release_per_minute", "0"],
  ] as const)("refuses %s = %s at its field", (path, text) => {
    expect(problemsOf(changed((each) => (each.numbers[path] = text)))[path]).toBeTruthy();
  });

  it("takes the bounds that the API takes", () => {
    const draft = changed((each) => {
      each.numbers.exit_factor = "2";
      each.numbers.holdout_percent = "50";
      each.numbers["emails.cap_days"] = "0";
      each.numbers.hold_after_days = "0.5";
    });
    expect(problemsOf(draft)).toEqual({});
  });

  it("refuses quiet hours that begin when they end", () => {
    const draft = changed((each) => (each.quiet = { on: true, begin: "08:00", end: "08:00" }));
    expect(problemsOf(draft).quiet).toContain("must differ");
  });

  it("keeps its own changes when another version came into force meanwhile", () => {
    const newer = { ...BASE, version: 4, theta: 0.5, lapse_days: 200 };
    const draft = rebased(changed((each) => (each.numbers.theta = "35")), BASE, newer);
    expect(documentOf(newer, draft)).toEqual({ ...newer, theta: 0.35 });
  });
});

describe("the address", () => {
  it("holds what is tried, and gives the same draft back", () => {
    const draft = changed((each) => {
      each.numbers.theta = "35";
      each.autoApprove = false;
      each.quiet = { on: true, begin: "22:30", end: "07:00" };
    });
    const tried = tryOf(draft, BASE);
    expect(tried).toBe("theta=35,approve=person,quiet=22:30-07:00");
    expect(draftFrom(tried, BASE)).toEqual(draft);
    expect(tryOf(draftOf(BASE), BASE)).toBeUndefined();
  });

  it("passes over what it cannot read", () => {
    expect(draftFrom("theta=x,constructor=1,quiet=99:00-1,lapse_days=200", BASE).numbers).toEqual({
      ...draftOf(BASE).numbers,
      lapse_days: "200",
    });
    expect(readPolicySearch({ from: "x", to: 2, cost: "-1", tab: 1 })).toEqual({ to: 2 });
  });
});

describe("changesBetween", () => {
  it("names each difference with both values, and none for the version", () => {
    const after: ShopPolicy = {
      ...BASE,
      version: 4,
      theta: 0.4,
      auto_approve: false,
      emails: { ...BASE.emails, quiet_hours: { begin: "21:00:00", end: "08:00:00" } },
    };
    expect(changesBetween(BASE, after)).toEqual([
      { path: "theta", name: "Entry", before: "29 %", after: "40 %" },
      {
        path: "auto_approve",
        name: "Approval",
        before: "by the checks alone",
        after: "by a person",
      },
      {
        path: "emails.quiet_hours",
        name: "Quiet hours",
        before: "none",
        after: "21:00 to 08:00",
      },
    ]);
  });

  it("takes a field that is left out for none", () => {
    const without = { ...BASE.emails };
    delete without.quiet_hours;
    expect(changesBetween(BASE, { ...BASE, emails: without })).toEqual([]);
  });
});

it("tells the policy in sentences", () => {
  const words = inWords(BASE).join(" ");
  expect(words).toContain("29 % or lower");
  expect(words).toContain("at most one email in 30 days");
  expect(inWords({ ...BASE, auto_approve: false }).join(" ")).toContain("A person approves each");
});
