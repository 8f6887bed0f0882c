// Pure: what the address says about the overview, made safe to use; defaults stay out of it.

/** How far back the chart can look, in days. */
export const SPANS = [30, 90, 365] as const;
export type Span = (typeof SPANS)[number];
export const USUAL_SPAN: Span = 90;

export interface OverviewSearch {
  days?: Span;
}

export function readOverviewSearch(search: Record<string, unknown>): OverviewSearch {
  const days = SPANS.find((span) => String(span) === String(search["days"]));
  return days === undefined || days === USUAL_SPAN ? {} : { days };
}
