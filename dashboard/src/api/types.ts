// The names under which the dashboard knows the API's shapes; the shapes are generated from OpenAPI.
import type { components, operations } from "./schema.gen.ts";

type Schemas = components["schemas"];

export type ClientRow = Schemas["ClientRow"];
export type RowScore = Schemas["ScoreRow"];
export type ClientState = RowScore["state"];
export type ScoreDetail = Schemas["ClientScore"];
export type ScoreParts = Schemas["PartsOfScore"];
export type ClientCurve = Schemas["ClientCurve"];
export type EpisodeRow = Schemas["EpisodeRow"];
export type BulkResult = Schemas["BulkResult"];
export type OrderRow = Schemas["OrderRow"];
export type OrderStatus = OrderRow["status"];
export type EmailRow = Schemas["EmailRow"];
export type EmailState = EmailRow["state"];
export type EmailDetail = Schemas["EmailDetail"];
export type EmailText = Schemas["EmailText"];
export type EmailChange = Schemas["StateChange"];
export type ModelCall = Schemas["ModelCall"];
export type DecisionRow = Schemas["DecisionRow"];
export type Stats = Schemas["Stats"];
export type ScoreEvent = Schemas["ScoreEvent"];
export type EpisodeEvent = Schemas["EpisodeOpenedEvent"] | Schemas["EpisodeClosedEvent"];
export type EmailEvent = Schemas["EmailEvent"];
export type ServedEvent = Schemas["ServedEvent"];

export type Overview = Schemas["Overview"];
export type OverviewDay = Schemas["Figures"];
export type EffectInShort = Schemas["EffectInShort"];
export type Pipeline = Schemas["Pipeline"];
export type PipelineHop = Schemas["PipelineHop"];
export type Money = Schemas["Money"];

export interface Page<Row> {
  items: Row[];
  next: string | null;
}

export type ClientInput = Omit<Schemas["ClientIn"], "id" | "synthetic">;
export type ClientChanges = Schemas["ClientPatch"];
export type OrderInput = Omit<Schemas["OrderIn"], "id" | "ordered_at" | "amount" | "currency"> & {
  amount: string;
  currency: string;
};
export type OrderChanges = Schemas["OrderPatch"];
export type DecisionInput = Schemas["DecisionIn"];
export type DecisionAction = DecisionInput["action"];

export type ClientSort = NonNullable<
  NonNullable<operations["list_clients"]["parameters"]["query"]>["sort"]
>;
export type EmailSort = NonNullable<
  NonNullable<operations["list_emails"]["parameters"]["query"]>["sort"]
>;
