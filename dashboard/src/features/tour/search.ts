// Pure: at which step of the tour the address stands, if the tour is on.
import { textOf } from "../../shared/search.ts";

export const STEPS = 6;

export interface TourSearch {
  /** Undefined where somebody leaves it: then it goes along no further. */
  tour?: number | undefined;
}

export function readTourSearch(search: Record<string, unknown>): TourSearch {
  const step = Number(textOf(search["tour"]));
  return Number.isInteger(step) && step >= 1 && step <= STEPS ? { tour: step } : {};
}
