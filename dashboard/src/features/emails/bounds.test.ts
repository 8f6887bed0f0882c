// The form takes what the API takes, which is what the mailer takes.
import { expect, it } from "vitest";
import openapi from "../../../../contracts/openapi.json?raw";
import { BODY, fits, SUBJECT } from "./bounds.ts";

interface Kept {
  components: {
    schemas: { Wording: { properties: Record<string, { minLength: number; maxLength: number }> } };
  };
}

it.each([
  ["subject", SUBJECT],
  ["body", BODY],
] as const)("bounds the %s as the API does", (name, bounds) => {
  const { properties } = (JSON.parse(openapi) as Kept).components.schemas.Wording;
  expect(properties[name]).toMatchObject({ minLength: bounds.min, maxLength: bounds.max });
});

it("does not count white space at the ends", () => {
  expect(fits(" Hi ", SUBJECT)).toBe(false);
  expect(fits(" Hi! ", SUBJECT)).toBe(true);
});
