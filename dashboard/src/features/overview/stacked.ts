// Pure: clients by state, day by day, as bands that lie on each other.
import type { ClientState, Overview, OverviewDay } from "../../api/types.ts";

/** From the bottom to the top: what matters most lies on the ground, where it is read best. */
export const BANDS: readonly ClientState[] = [
  "at_risk",
  "active",
  "one_order",
  "lapsed",
  "no_orders",
];

export interface Band {
  state: ClientState;
  /** For each day, the lower and the upper edge in clients. */
  edges: readonly (readonly [number, number])[];
}

export function clientsIn(day: OverviewDay, state: ClientState): number {
  return day.clients_by_state[state] ?? 0;
}

/** The days with the newest as it was counted last: its figures change until it is over. */
export function countedLast(days: readonly OverviewDay[], now: Overview): OverviewDay[] {
  return days.map((each) =>
    each.as_of === now.as_of
      ? {
          ...each,
          clients_by_state: now.clients_by_state ?? each.clients_by_state,
          at_risk_value: now.at_risk_value ?? each.at_risk_value,
        }
      : each,
  );
}

/** Stack the states of each day. */
export function bandsOf(days: readonly OverviewDay[]): Band[] {
  const tops = days.map(() => 0);
  return BANDS.map((state) => ({
    state,
    edges: days.map((day, index) => {
      const low = tops[index] ?? 0;
      const high = low + clientsIn(day, state);
      tops[index] = high;
      return [low, high] as const;
    }),
  }));
}

/** The most clients that any day has. */
export function mostOf(days: readonly OverviewDay[]): number {
  return Math.max(
    1,
    ...days.map((day) => BANDS.reduce((sum, state) => sum + clientsIn(day, state), 0)),
  );
}

/** Days for a table that a person reads: at most so many, evenly apart, the newest always. */
export function thinned<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  const step = (items.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => items[Math.round(index * step)]).filter(
    (item) => item !== undefined,
  );
}
