// Pure: what the address of a client says about the line of time, made safe to use.
import { textOf } from "../../../shared/search.ts";
import { isRange, type Range } from "./windows.ts";

/** What of the line of time is shown. */
export interface View {
  range: Range;
  /** The last day shown; null for where the range ends by itself. */
  end: string | null;
}

/** The view as the address has it; defaults stay out of it. */
export interface ViewSearch {
  range?: Range;
  until?: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function readViewSearch(search: Record<string, unknown>): ViewSearch {
  const { range } = search;
  const until = textOf(search["until"]);
  const isDay = DAY.test(until) && !Number.isNaN(Date.parse(until));
  return {
    ...(isRange(range) && range !== "year" ? { range } : {}),
    ...(isDay && range !== "all" ? { until } : {}),
  };
}

export function viewOf(search: ViewSearch): View {
  return { range: search.range ?? "year", end: search.until ?? null };
}

export function viewSearchOf({ range, end }: View): ViewSearch {
  return readViewSearch({ range, until: end });
}
