// Pure: orders, episodes and emails as marks and spans on one line of business time.
import type { OrderRow } from "../../../api/types.ts";
import { day, money, percent } from "../../../shared/format.ts";
import { EMAIL_STATES, type Tone } from "../../../shared/states.ts";
import type { Episode, Mark, Span, Written } from "./shapes.ts";

const TONES: Record<Tone, Mark["tone"]> = {
  good: "good",
  warn: "warn",
  bad: "warn",
  info: "violet",
  violet: "violet",
  mute: "mute",
};

/** Whether an order counts: the rule of the score. */
export function counts(order: OrderRow): boolean {
  return order.status !== "cancelled" && order.status !== "refunded" && Number(order.amount) > 0;
}

function orderMark(order: OrderRow, most: number): Mark {
  const isCounted = counts(order);
  return {
    id: `order-${order.id}`,
    lane: "orders",
    at: Date.parse(order.ordered_at),
    title: `Order of ${money(order.amount, order.currency)}`,
    lines: [
      `${order.category}, ${order.status}`,
      ...(isCounted ? [] : ["Does not count for the score"]),
    ],
    tone: isCounted ? "accent" : "mute",
    weight: isCounted && most > 0 ? Math.sqrt(Number(order.amount) / most) : 0,
    episodeId: null,
  };
}

function openedMark(episode: Episode): Mark {
  const { amount, currency } = episode.value_at_risk;
  return {
    id: `opened-${episode.episode_id}`,
    lane: "episodes",
    at: Date.parse(episode.opened_at),
    title: "Fell at risk",
    lines: [
      `Crossed on ${day(episode.crossing_day)} with a score of ${percent(episode.score)}`,
      `${money(amount, currency)} at risk`,
    ],
    tone: "warn",
    weight: 0.5,
    episodeId: episode.episode_id,
  };
}

function backMark(episode: Episode, order: OrderRow): Mark {
  return {
    id: `back-${episode.episode_id}`,
    lane: "episodes",
    at: Date.parse(order.ordered_at),
    title: "Ordered again",
    lines: [`The silence since ${day(episode.last_order_day)} is over`],
    tone: "good",
    weight: 0.5,
    episodeId: episode.episode_id,
  };
}

/** The email of an episode, or why there is none; a draft stands where its episode opened. */
function emailMark(episode: Episode, written: Written | undefined): Mark {
  const { state, reason } = written ?? episode;
  const words = EMAIL_STATES[state];
  const email = written?.email ?? null;
  return {
    id: `email-${episode.episode_id}`,
    lane: "emails",
    at: Date.parse(email?.written_as_of ?? episode.opened_at),
    title: email === null ? `No email: ${words.name.toLowerCase()}` : `Email, ${words.name.toLowerCase()}`,
    lines: [email === null ? reason : `“${email.subject}”`],
    tone: TONES[words.tone],
    weight: email === null ? 0 : 0.5,
    episodeId: episode.episode_id,
  };
}

/** The first counted order after the silence that the episode is about. */
function endOf(episode: Episode, counted: readonly OrderRow[]): OrderRow | undefined {
  const crossing = Date.parse(episode.crossing_day);
  return counted.find((order) => Date.parse(order.ordered_at) >= crossing);
}

export interface Happenings {
  marks: Mark[];
  spans: Span[];
}

/** All that happened, oldest first, and the times at risk; `today` is the business day. */
export function happeningsOf(
  orders: readonly OrderRow[],
  episodes: readonly Episode[],
  emails: readonly Written[],
  today: string,
): Happenings {
  const oldestFirst = [...orders].sort((a, b) => Date.parse(a.ordered_at) - Date.parse(b.ordered_at));
  const counted = oldestFirst.filter(counts);
  const most = Math.max(0, ...counted.map((order) => Number(order.amount)));
  const writtenOf = new Map(emails.map((email) => [email.episode_id, email]));
  const marks: Mark[] = oldestFirst.map((order) => orderMark(order, most));
  const spans: Span[] = [];
  for (const episode of episodes) {
    const end = endOf(episode, counted);
    marks.push(openedMark(episode), emailMark(episode, writtenOf.get(episode.episode_id)));
    if (end !== undefined) marks.push(backMark(episode, end));
    spans.push({
      id: episode.episode_id,
      from: Date.parse(episode.crossing_day),
      to: end === undefined ? Date.parse(today) : Date.parse(end.ordered_at),
      isOpen: end === undefined,
    });
  }
  return { marks: marks.sort((a, b) => a.at - b.at), spans };
}
