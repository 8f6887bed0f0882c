// Examples of the API's overview, for tests to vary.
import type { Overview, OverviewDay } from "../api/types.ts";

export function overviewDay(change: Partial<OverviewDay> = {}): OverviewDay {
  return {
    as_of: "2026-11-22",
    counted_at: "2026-11-22T09:00:00Z",
    clients_by_state: { active: 5, at_risk: 2, one_order: 1, lapsed: 1, no_orders: 0 },
    unscored: 0,
    at_risk_value: { amount: "1234.50", currency: "USD" },
    emails_by_state: { held: 1, draft: 2, written: 3 },
    recovered_value: { amount: "79.90", currency: "USD" },
    recovered_clients: 1,
    ...change,
  };
}

export const EFFECT = {
  enough: false,
  needed_per_arm: 500,
  window_days: 90,
  held_out: 40,
  not_held_out: 380,
  waiting: 3,
  difference: null,
};

export function overview(change: Partial<Overview> = {}): Overview {
  return {
    ...overviewDay(),
    effect: EFFECT,
    pipeline: {
      asked_at: "2026-11-22T09:00:00Z",
      hops: [
        {
          name: "relay",
          lag_records: 12,
          lag_s: 0.4,
          lag_bytes: null,
          exact: true,
          reason: null,
        },
      ],
      dead_letters: [{ topic: "client.events", waiting: 2 }],
      problems: [],
    },
    ...change,
  };
}
