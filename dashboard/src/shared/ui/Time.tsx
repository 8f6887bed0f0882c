// A moment in the viewer's zone, exact on hover and for machines.
import { time, timeExact } from "../format.ts";

export function Time({ at, year = false }: { at: string; year?: boolean }) {
  return (
    <time dateTime={at} title={timeExact(at)}>
      {time(at, year)}
    </time>
  );
}
