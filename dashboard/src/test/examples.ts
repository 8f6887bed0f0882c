// Examples of what the API answers and the stream says, for tests to vary.
import type {
  ClientRow,
  DecisionRow,
  EmailDetail,
  OrderRow,
  ScoreDetail,
  ScoreEvent,
  Stats,
} from "../api/types.ts";

/** 2026-11-22 as days since 1970-01-01. */
export const TODAY = 20_779;

export function clientRow(change: Partial<ClientRow> = {}): ClientRow {
  return {
    id: 42,
    first_name: "Ada",
    surname: "Dahl",
    email: "ada@example.com",
    phone: null,
    address: null,
    style_tags: ["linen"],
    time_zone: "UTC",
    consent: true,
    synthetic: true,
    created_at: "2026-11-20T10:00:00Z",
    updated_at: "2026-11-20T10:00:00Z",
    version: 100,
    masked: false,
    score: {
      as_of: "2026-11-22",
      score: 0.18,
      state: "at_risk",
      crossing_day: "2026-11-02",
      policy_version: 1,
      merged_version: 110,
    },
    ...change,
  };
}

export function scoreEvent(change: Partial<ScoreEvent> = {}): ScoreEvent {
  return {
    client_id: 42,
    generation: 1,
    version: 120,
    merged: [["order/7", 120]],
    policy_version: 1,
    as_of: "2026-11-22T09:00:00Z",
    day: TODAY,
    score: 0.46,
    state: "active",
    features: { frequency: 3, value: 200, n: 4, first_day: TODAY - 200, last_day: TODAY },
    parts: { intercept: -2.5, frequency: 1.5, value: 0.9, recency: -0.06 },
    entry: 0.3,
    exit: 0.33,
    crossing_day: TODAY + 20,
    lapse_day: TODAY + 181,
    episode_id: null,
    ...change,
  };
}

export function scoreDetail(change: Partial<ScoreDetail> = {}): ScoreDetail {
  return {
    client_id: 42,
    as_of: "2026-11-22",
    score: 0.18,
    state: "at_risk",
    version: 110,
    merged: [["order/6", 110]],
    policy_version: 1,
    entry: 0.3,
    exit: 0.33,
    crossing_day: "2026-11-02",
    lapse_day: "2027-02-01",
    episode_id: "42-20600",
    features: {
      order_days: 3,
      spend_decayed: { amount: "129.4", currency: "USD" },
      frequency: 1.7,
      first_day: "2026-03-19",
      last_day: "2026-08-02",
      usual_gap_days: 60.3,
    },
    explanation: {
      parts: { intercept: -2.5, frequency: 1.2, value: 0.7, recency: -0.9 },
      total: -1.5,
      score_after_order: 0.46,
      lift: null,
    },
    ...change,
  };
}

export function orderRow(change: Partial<OrderRow> = {}): OrderRow {
  return {
    id: 7,
    client_id: 42,
    ordered_at: "2026-11-22T09:00:00Z",
    amount: "79.90",
    currency: "USD",
    status: "placed",
    category: "shirts",
    created_at: "2026-11-22T09:00:00Z",
    updated_at: "2026-11-22T09:00:00Z",
    version: 120,
    ...change,
  };
}

export function decision(change: Partial<DecisionRow> = {}): DecisionRow {
  return {
    id: 5,
    episode_id: "42-20600",
    action: "release",
    actor: "dashboard",
    created_at: "2026-11-22T09:00:00Z",
    draft_hash: null,
    payload: {},
    outcome: null,
    outcome_reason: null,
    difference: null,
    masked: false,
    ...change,
  };
}

export function emailDetail(change: Partial<EmailDetail> = {}): EmailDetail {
  return {
    episode_id: "42-20600",
    client_id: 42,
    first_name: "Ada",
    state: "held",
    reason: "crossed long before the first tick",
    actor: "mailer",
    until: null,
    last_order_day: "2026-08-02",
    crossing_day: "2026-11-02",
    opened_as_of: "2026-11-20T00:00:00Z",
    score: 0.2,
    value_at_risk: { amount: "129.40", currency: "USD" },
    policy_version: 1,
    attempts: 0,
    created_at: "2026-11-20T10:00:00Z",
    updated_at: "2026-11-20T10:00:00Z",
    masked: false,
    email: null,
    history: [
      {
        from_state: null,
        to_state: "held",
        reason: "crossed long before the first tick",
        actor: "mailer",
        at: "2026-11-20T10:00:00Z",
      },
    ],
    calls: [],
    decisions: [],
    evidence: {},
    ...change,
  };
}

export function stats(change: Partial<Stats> = {}): Stats {
  return {
    as_of: "2026-11-22",
    counted_at: "2026-11-22T09:00:00Z",
    business_now: "2026-11-22T09:00:00Z",
    clock_rate: 1,
    model_sandbox: true,
    clients: { total: 1, by_state: { at_risk: 1 }, unscored: 0 },
    orders: { total: 3 },
    episodes: { total: 1, by_state: { held: 1 } },
    emails: { total: 0 },
    ...change,
  };
}
