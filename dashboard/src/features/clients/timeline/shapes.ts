// What the line of time is drawn from: the score day by day, and what happened.
import type { ClientCurve, EmailRow, EmailText, EpisodeRow } from "../../../api/types.ts";

export type Curve = ClientCurve;
export type CurvePoint = Curve["points"][number];

export type Episode = Pick<
  EpisodeRow,
  | "episode_id"
  | "state"
  | "reason"
  | "opened_at"
  | "last_order_day"
  | "crossing_day"
  | "score"
  | "value_at_risk"
>;

/** What the line of time needs to know of an email; its state is told live. */
export type Written = Pick<EmailRow, "episode_id" | "state" | "reason"> & {
  email: Pick<EmailText, "subject" | "written_as_of"> | null;
};

export type Lane = "orders" | "episodes" | "emails";

/** Something that happened, at a moment of business time. */
export interface Mark {
  id: string;
  lane: Lane;
  /** Milliseconds since 1970. */
  at: number;
  title: string;
  lines: string[];
  tone: "accent" | "good" | "warn" | "violet" | "mute";
  /** From 0 to 1: how large it is drawn. */
  weight: number;
  episodeId: string | null;
}

/** A time at risk: from the crossing to the order that ended it, or until today. */
export interface Span {
  id: string;
  from: number;
  to: number;
  isOpen: boolean;
}
