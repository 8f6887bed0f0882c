// Pure: what the steps of an email's path are made of.
import type { components } from "../../../api/schema.gen.ts";

type Schemas = components["schemas"];
export type Lineage = Schemas["Lineage"];
export type TracedOrder = Schemas["TracedOrder"];
export type Place = Schemas["RecordPlace"];

/** One fact of a step: a text, a day of the shop, a moment, or an id that can be copied. */
export interface Fact {
  name: string;
  value: string;
  kind?: "id" | "time" | "day";
}

export interface Step {
  id: string;
  title: string;
  /** One sentence on what happened here. */
  about: string;
  facts: Fact[];
  /** What the API found out anew for this answer; null where it repeats what is stored. */
  verified: string | null;
  tone: "done" | "open" | "ended";
}

/** The way of one order from its row to the scorer. */
export interface OrderPath {
  orderId: number;
  steps: Step[];
}
