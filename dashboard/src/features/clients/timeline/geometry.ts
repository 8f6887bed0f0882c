// Pure: where things stand on the drawing, in pixels.
import { scaleLinear, scaleUtc } from "@visx/scale";
import type { Curve, Lane } from "./shapes.ts";
import { addDays, type Stretch } from "./windows.ts";

export const LEFT = 38;
export const RIGHT = 10;
export const PLOT_TOP = 24;
export const PLOT_BASE = 190;
const LANE_PX = 40;
const FIRST_LANE = PLOT_BASE + 34;

export const LANES: readonly { lane: Lane; name: string }[] = [
  { lane: "orders", name: "Orders" },
  { lane: "episodes", name: "At risk" },
  { lane: "emails", name: "Emails" },
];

/** The height of a lane's line. */
export function laneTop(lane: Lane): number {
  return FIRST_LANE + LANES.findIndex((each) => each.lane === lane) * LANE_PX;
}

export const LANES_BASE = FIRST_LANE + (LANES.length - 1) * LANE_PX + 18;
export const HEIGHT = LANES_BASE + 24;

/** Which lane a height belongs to, or null above them. */
export function laneAt(top: number): Lane | null {
  const found = LANES.find(({ lane }) => Math.abs(laneTop(lane) - top) <= LANE_PX / 2);
  return found?.lane ?? null;
}

export type TimeScale = ReturnType<typeof timeScale>;
export type ScoreScale = ReturnType<typeof scoreScale>;

export function timeScale(stretch: Stretch, width: number) {
  return scaleUtc<number>({
    domain: [new Date(stretch.from), new Date(addDays(stretch.to, 1))],
    range: [LEFT, Math.max(LEFT + 1, width - RIGHT)],
  });
}

/** From nothing to a little above the highest score or threshold. */
export function scoreScale(curve: Curve) {
  const scores = curve.points.map((point) => point.score ?? 0);
  const most = Math.max(0.1, curve.exit ?? 0, ...scores);
  return scaleLinear<number>({
    domain: [0, Math.min(1, most * 1.12)],
    range: [PLOT_BASE, PLOT_TOP],
  });
}
