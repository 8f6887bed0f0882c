// Only what a person changed is sent.
import { expect, it } from "vitest";
import { clientRow, orderRow } from "../../test/examples.ts";
import { changesOf } from "./ClientDialogs.tsx";
import { orderChangesOf } from "./OrderDialogs.tsx";

it("sends the changed fields of a client alone", () => {
  const row = clientRow();
  const { first_name, surname, email, phone, address, style_tags, time_zone, consent } = row;
  const same = { first_name, surname, email, phone, address, style_tags, time_zone, consent };
  expect(changesOf(row, same)).toEqual({});
  expect(changesOf(row, { ...same, surname: null, style_tags: ["denim"] })).toEqual({
    surname: null,
    style_tags: ["denim"],
  });
});

it("does not take an amount that is written otherwise for a change", () => {
  const fields = { amount: "79.9", currency: "USD", status: "placed", category: "shirts" } as const;
  expect(orderChangesOf(orderRow(), fields)).toEqual({});
  expect(orderChangesOf(orderRow(), { ...fields, status: "cancelled" })).toEqual({
    status: "cancelled",
  });
});
