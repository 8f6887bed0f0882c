// Draws stacked areas, with a slider over them that picks a day by pointer or arrow keys.
import { AxisBottom, AxisLeft } from "@visx/axis";
import { curveLinear } from "@visx/curve";
import { scaleLinear, scaleUtc } from "@visx/scale";
import { Area } from "@visx/shape";
import type { OverviewDay } from "../../api/types.ts";
import { count, day } from "../../shared/format.ts";
import { CLIENT_STATES } from "../../shared/states.ts";
import { useWidth } from "../../shared/useWidth.ts";
import styles from "./Areas.module.css";
import { BANDS, bandsOf, clientsIn, mostOf } from "./stacked.ts";

const HEIGHT = 240;
const TOP = 8;
const BOTTOM = 24;
const LEFT = 44;
const RIGHT = 10;
/** Room that one label takes on the axis, in pixels. */
const TICK_PX = 90;

const dayAndMonth = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});
const compact = new Intl.NumberFormat("en-GB", { notation: "compact" });

interface Props {
  days: readonly OverviewDay[];
  index: number;
  onIndex: (index: number) => void;
}

export function Areas({ days, index, onIndex }: Props) {
  const [frame, width] = useWidth();
  const shown = days[index];
  return (
    <div ref={frame} className={styles["frame"]}>
      {width === 0 ? null : <Drawing days={days} index={index} width={width} />}
      <input
        type="range"
        className={styles["slider"]}
        min={0}
        max={days.length - 1}
        value={index}
        aria-label="Day shown"
        aria-valuetext={shown === undefined ? undefined : spoken(shown)}
        onChange={(event) => {
          onIndex(event.currentTarget.valueAsNumber);
        }}
      />
    </div>
  );
}

function spoken(each: OverviewDay): string {
  const states = BANDS.map(
    (state) => `${CLIENT_STATES[state].name} ${count(clientsIn(each, state))}`,
  );
  return `${day(each.as_of)}: ${states.join(", ")}`;
}

function Drawing({ days, index, width }: Omit<Props, "onIndex"> & { width: number }) {
  const at = (each: OverviewDay): Date => new Date(each.as_of);
  const times = days.map((each) => at(each).getTime());
  const x = scaleUtc<number>({
    domain: [new Date(Math.min(...times)), new Date(Math.max(...times))],
    range: [LEFT, width - RIGHT],
  });
  const y = scaleLinear<number>({
    domain: [0, mostOf(days)],
    range: [HEIGHT - BOTTOM, TOP],
    nice: true,
  });
  const shown = days[index];
  const left = shown === undefined ? null : x(at(shown));
  return (
    <svg className={styles["svg"]} width={width} height={HEIGHT} aria-hidden="true">
      {bandsOf(days).map(({ state, edges }) => (
        <Area
          key={state}
          className={styles[state] ?? ""}
          data={days.map((each, place) => ({ each, edge: edges[place] ?? [0, 0] }))}
          x={({ each }) => x(at(each))}
          y0={({ edge }) => y(edge[0])}
          y1={({ edge }) => y(edge[1])}
          curve={curveLinear}
        />
      ))}
      {left === null ? null : (
        <line className={styles["cursor"]} x1={left} x2={left} y1={TOP} y2={HEIGHT - BOTTOM} />
      )}
      <AxisLeft
        left={LEFT}
        scale={y}
        numTicks={4}
        hideAxisLine
        hideTicks
        tickFormat={(value) => compact.format(Number(value))}
        tickLabelProps={{ className: styles["tick"] ?? "", textAnchor: "end", dy: "0.3em" }}
      />
      <AxisBottom
        top={HEIGHT - BOTTOM}
        scale={x}
        numTicks={Math.max(2, Math.floor(width / TICK_PX))}
        hideAxisLine
        hideTicks
        tickFormat={(value) => dayAndMonth.format(value instanceof Date ? value : Number(value))}
        tickLabelProps={{ className: styles["tick"] ?? "", textAnchor: "middle", dy: "0.35em" }}
      />
    </svg>
  );
}
