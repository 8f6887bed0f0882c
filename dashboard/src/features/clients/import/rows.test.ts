// A row of a file becomes what the API takes, or says what is wrong with it and where.
import { describe, expect, it } from "vitest";
import { FIELDS } from "./fields.ts";
import { guessMapping, missingOf } from "./mapping.ts";
import { bodyOf, linesOf, problemsOf, type Reading } from "./rows.ts";

const HEADERS = ["Customer ID", "First Name", "Last Name", "E-mail", "Tags", "Opt-in", "Notes"];

function reading(kind: "clients" | "orders", headers: string[]): Reading {
  const fields = FIELDS[kind];
  return { headers, fields, mapping: guessMapping(headers, fields), defaults: {} };
}

const clients = reading("clients", HEADERS);
const orders = reading("orders", ["client_id", "date", "total"]);

describe("the mapping", () => {
  it("is guessed from the columns' names, however they are written", () => {
    expect(clients.mapping).toMatchObject({
      id: 0,
      first_name: 1,
      surname: 2,
      email: 3,
      style_tags: 4,
      consent: 5,
      phone: null,
    });
  });

  it("gives a column to one field alone, the one that it names best", () => {
    const mapping = guessMapping(["name", "first name"], FIELDS.clients);
    expect(mapping["first_name"]).toBe(1);
    expect(Object.values(mapping).filter((place) => place === 0)).toEqual([]);
  });

  it("says which needed field has no column", () => {
    const missing = missingOf(guessMapping(["Customer", "Date"], FIELDS.orders), FIELDS.orders);
    expect(missing.map((field) => field.name)).toEqual(["amount"]);
  });
});

describe("bodyOf", () => {
  it("turns cells into values, and leaves out what is blank", () => {
    const cells = ["7", " Ada ", "", "ada@example.com", "linen; denim", "yes", "likes tea"];
    expect(bodyOf({ line: 2, cells }, clients).body).toEqual({
      id: 7,
      first_name: "Ada",
      email: "ada@example.com",
      style_tags: ["linen", "denim"],
      consent: true,
    });
  });

  it("takes defaults where the file says nothing, and the file's word where it does", () => {
    const given = { ...clients, defaults: { consent: false } };
    expect(bodyOf({ line: 2, cells: ["", "Ada"] }, given).body?.["consent"]).toBe(false);
    const cells = ["", "Ada", "", "", "", "y"];
    expect(bodyOf({ line: 2, cells }, given).body?.["consent"]).toBe(true);
  });

  it("names each column that it cannot read", () => {
    const cells = ["seven", "Ada", "", "", "", "maybe"];
    expect(bodyOf({ line: 2, cells }, clients).problems).toEqual([
      { column: "Customer ID", detail: "is not a whole number" },
      { column: "Opt-in", detail: "is neither yes nor no" },
    ]);
  });

  it("refuses a row with more cells than the header has", () => {
    const cells = ["7", "Ada", "", "", "", "", "", "too much"];
    const [problem] = bodyOf({ line: 2, cells }, clients).problems ?? [];
    expect(problem?.column).toBeNull();
    expect(problem?.detail).toContain("has 8 cells, but the header names 7 columns");
  });

  it("reads a decimal comma and dates, but no day that the calendar lacks", () => {
    const good = bodyOf({ line: 2, cells: ["42", "2026-01-31T18:30:00+01:00", "29,90"] }, orders);
    expect(good.body).toEqual({
      client_id: 42,
      ordered_at: "2026-01-31T17:30:00.000Z",
      amount: "29.90",
    });
    const bad = bodyOf({ line: 2, cells: ["42", "2026-02-30", "29.90"] }, orders);
    expect(bad.problems?.map((problem) => problem.column)).toEqual(["date"]);
  });

  it("keeps a date without a time on its calendar day in the shop, wherever the reader sits", () => {
    const at = (date: string): unknown =>
      bodyOf({ line: 2, cells: ["42", date, "29.90"] }, orders).body?.["ordered_at"];
    expect(at("2026-01-31")).toBe("2026-01-31T12:00:00.000Z");
    expect(at("2026-01-31Z")).toBe("2026-01-31T12:00:00.000Z");
  });

  it("takes away the quote that a safe download put before a cell", () => {
    const cells = ["", "'=Ada", "", "", "", ""];
    expect(bodyOf({ line: 2, cells }, clients).body?.["first_name"]).toBe("=Ada");
  });
});

describe("problemsOf", () => {
  it("finds the file's column of what the API says", () => {
    expect(problemsOf("email: is not valid; style_tags.0: is too long", clients)).toEqual([
      { column: "E-mail", detail: "is not valid" },
      { column: "Tags", detail: "is too long" },
    ]);
    expect(problemsOf("there is a client 7 already", clients)).toEqual([
      { column: null, detail: "there is a client 7 already" },
    ]);
  });
});

it("says in words what a pattern says to programmers", () => {
  const said = "email: String should match pattern '^[^@]+@[^@]+$'";
  expect(problemsOf(said, clients)).toEqual([
    { column: "E-mail", detail: "is no e-mail address" },
  ]);
});

it("counts the lines of a cell with line breaks in it", () => {
  expect(linesOf(["a", "b"])).toBe(1);
  expect(linesOf(["a\r\nb", "c\nd"])).toBe(3);
});
