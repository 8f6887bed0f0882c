// What the address may say about the list of emails, and what of it is believed.
import { expect, it } from "vitest";
import { clientIdOf, emailFilterOf, emailSearchOf, readEmailSearch } from "./search.ts";

it("keeps what is valid and drops the rest", () => {
  expect(readEmailSearch({ state: "held", sort: "-created", client: "42", evil: 1 })).toEqual({
    state: "held",
    sort: "-created",
    client: 42,
  });
  expect(readEmailSearch({ state: "toString", sort: "-value", client: "x" })).toEqual({});
});

it("fills in the defaults for the API, the most valuable first", () => {
  expect(emailFilterOf({})).toEqual({ state: null, clientId: null, sort: "-value" });
});

it("comes back as it went into the address", () => {
  const filter = { state: "draft", clientId: 7, sort: "-created" } as const;
  expect(emailFilterOf(emailSearchOf(filter))).toEqual(filter);
});

it("takes whole ids only", () => {
  expect(["42", 42, "0", "-1", "4.5", "", "1e300", null].map(clientIdOf)).toEqual([
    42,
    42,
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
});
