// Examples of policies and of what one would change, for tests to vary.

export const DOCUMENT = {
  version: 3,
  weights: { intercept: -2.589, frequency: 1.59, value: 0.194, recency: 0.527 },
  gap_prior_days: 45,
  half_life_days: 180,
  horizon_days: 90,
  rho: 0.7,
  theta: 0.3,
  exit_factor: 1.1,
  silence_max_days: 150,
  lapse_days: 180,
  ahead_days: 1,
  hold_after_days: 3,
  holdout_percent: 10,
  auto_approve: true,
  emails: { cap_days: 30, quiet_hours: null, release_per_minute: 60, effect_days: 30 },
};

export function policy(version: number, change: object = {}, note = "") {
  return {
    version,
    document: { ...DOCUMENT, version, ...change },
    note,
    created_by: "olivia",
    created_at: "2026-11-20T10:00:00Z",
  };
}

const SIDE = {
  by_state: {},
  at_risk: 100,
  expected_precision: 0.8,
  emails_per_day: 4.2,
  cost_per_day: null,
};

export const PREVIEW = {
  as_of: "2026-11-22",
  clients: 1000,
  seen: 1000,
  sampled: false,
  present: SIDE,
  candidate: { ...SIDE, at_risk: 112, emails_per_day: 5 },
  entering: 15,
  leaving: 3,
  staying: 97,
  held_for_a_person: 5,
  emails_at_once: 9,
  cost_at_once: null,
};
