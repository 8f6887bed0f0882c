// The API's shapes that this feature knows.
import type { components } from "../../api/schema.gen.ts";

type Schemas = components["schemas"];

export type SystemStatus = Schemas["SystemStatus"];
export type StatusHop = Schemas["Hop"];
export type Run = Schemas["OperationRow"];
export type LetterCounts = Schemas["DeadLetterCounts"];
export type Letter = Schemas["DeadLetter"];
export type Letters = Schemas["DeadLetters"];
export type AuditRow = Schemas["AuditRow"];
export type BackfillPreview = Schemas["BackfillPreview"];
export type ReplayPreview = Schemas["ReplayPreview"];

export interface BackfillInput {
  table: "clients" | "orders";
  /** SQL over captured columns; the whole table where null. */
  where: string | null;
}

export type ReplayInput =
  | { client_ids: number[] }
  | { ordered_from: string; ordered_before: string };

export interface LetterInput {
  topic: string;
  /** One letter; all that wait where null. */
  offset: number | null;
}
