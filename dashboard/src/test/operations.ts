// Examples of what the API tells operators, for tests to vary.
export const STATUS = {
  at: "2026-11-22T09:00:00Z",
  hops: [
    { hop: "relay", records: 12, seconds: 0.4, exact: true, group: "cdc-relay", members: 0 },
    { hop: "scorer", records: 0, seconds: 0, exact: true, group: "scorer", members: 1 },
  ],
  dead_letters: [],
  episodes: { total: 5, by_state: {} },
  scorer: { generations: null, stored_generation: 1, last_scored_at: null },
  connector: { state: "RUNNING", task: "RUNNING", failure: null },
  mailer: null,
  policy: { version: 3, created_at: "2026-11-22T09:00:00Z" },
  problems: ["the mailer does not answer"],
};

export const COUNTS = {
  topic: "client.events",
  waiting: 2,
  kept: 3,
  reasons: { bad_amount: 2 },
  newest: { reason: "bad_amount", detail: "", parked_at: "2026-11-22T09:00:00Z", offset: 5 },
};

export const LETTER = {
  topic: "client.events",
  offset: 5,
  headers: { reason: "bad_amount", attempt: "1", parked_at: "2026-11-22T09:00:00Z" },
  key: "42",
  value: { order_id: 7, first_name: "Ada" },
  masked: false,
};

export function run(change: object = {}) {
  return {
    id: 9,
    kind: "backfill",
    actor: "olivia",
    parameters: { table: "orders", where: null },
    state: "running",
    step: "rows of orders read",
    done: 40,
    total: 120,
    result: null,
    error: null,
    created_at: "2026-11-22T09:00:00Z",
    updated_at: "2026-11-22T09:00:01Z",
    finished_at: null,
    ...change,
  };
}
