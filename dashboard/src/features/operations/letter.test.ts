import { describe, expect, it } from "vitest";
import { headersOf, keyOf, valueOf } from "./letter.ts";
import type { Letter } from "./shapes.ts";

function letter(change: Partial<Letter> = {}): Letter {
  return {
    topic: "cdc.public.clients",
    offset: 3,
    headers: { reason: "bad_amount", detail: "amount is not a number", odd: "Ada" },
    key: '{"id":42}',
    value: null,
    masked: false,
    ...change,
  };
}

describe("a dead letter as it is shown", () => {
  it("keeps ids and times, and hides every other value wherever it stands", () => {
    const shown = valueOf(
      letter({
        value: {
          op: "u",
          after: {
            id: 42,
            first_name: "Ada",
            phone: 491701234567,
            email: "ada@example.com",
            tags: ["jazz"],
            nested: { surname: "Dahl", "ada@example.com": 1 },
          },
        },
      }),
    );
    expect(shown).toContain("id: 42");
    expect(shown).toContain("op: u");
    expect(shown).toContain("first_name: text of 3 characters, hidden");
    expect(shown).toContain("phone: number, hidden");
    expect(shown).toContain("tags: a list of 1");
    for (const personal of ["Ada", "Dahl", "ada@", "jazz", "49170"]) {
      expect(shown).not.toContain(personal);
    }
  });

  it("hides a text that is no id even under a harmless name, and a record that is no JSON", () => {
    expect(valueOf(letter({ value: { status: "call Ada Dahl" } }))).not.toContain("Ada");
    expect(valueOf(letter({ value: "Ada Dahl, 12 Main St" }))).not.toContain("Ada");
    expect(valueOf(letter({ value: null }))).toContain("removal");
  });

  it("calls hidden what the server hid already, without a length or a type of it", () => {
    const masked = { value: { "•••": "•••", after: { id: 42, phone: "•••" } }, masked: true };
    const shown = valueOf(letter(masked));
    expect(shown).toContain("phone: hidden");
    expect(shown).toContain("id: 42");
    expect(shown).not.toContain("characters");
    expect(valueOf(letter({ value: "•••" }))).toBe("hidden");
    expect(keyOf(letter({ key: "•••" }))).toBe("hidden");
  });

  it("shows keys that are ids, and headers of our own alone", () => {
    expect(keyOf(letter())).toContain("id: 42");
    expect(keyOf(letter({ key: "42" }))).toBe("42");
    expect(keyOf(letter({ key: "42/order/7" }))).toBe("42/order/7");
    expect(keyOf(letter({ key: "ada@example.com" }))).toBe("hidden");
    expect(headersOf(letter()).map(({ name }) => name)).toEqual(["reason", "detail"]);
  });
});
