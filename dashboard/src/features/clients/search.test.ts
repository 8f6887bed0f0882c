// What the address may say about the list of clients, and what of it is believed.
import { expect, it } from "vitest";
import { clientFilterOf, readClientSearch } from "./search.ts";

it("keeps what is valid, drops the rest, and keeps defaults out of the address", () => {
  expect(readClientSearch({ state: "at_risk", search: 42, sort: "-score", evil: 1 })).toEqual({
    state: "at_risk",
    search: "42",
  });
  expect(readClientSearch({ state: "toString", sort: "name", search: ["x"] })).toEqual({});
});

it("fills in the defaults for the API", () => {
  expect(clientFilterOf({})).toEqual({ state: null, search: "", sort: "-score" });
});
