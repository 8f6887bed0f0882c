// A moment in the viewer's zone, exact on hover and for machines.
import { clockTime, time, timeExact } from "../format.ts";

interface Props {
  at: string;
  year?: boolean;
  /** Only the time of day, to the second: for what happened just now. */
  clock?: boolean;
}

export function Time({ at, year = false, clock = false }: Props) {
  return (
    <time dateTime={at} title={timeExact(at)}>
      {clock ? clockTime(at) : time(at, year)}
    </time>
  );
}
