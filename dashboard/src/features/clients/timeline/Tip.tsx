// What the pointer or the keyboard's focus is on, in words; screen readers have the mark's own label.
import { day, time } from "../../../shared/format.ts";
import styles from "./Chart.module.css";

/** So far from the place that it is about, which it must not hide. */
const AWAY_PX = 12;

interface Props {
  at: number;
  title: string;
  lines: string[];
  /** The place that it is about, and the width of the drawing, in pixels. */
  left: number;
  width: number;
  /** Whether the hour matters. */
  exact?: boolean;
}

export function Tip({ at, title, lines, left, width, exact = false }: Props) {
  const iso = new Date(at).toISOString();
  const side =
    left > width / 2 ? { right: width - left + AWAY_PX } : { left: left + AWAY_PX };
  return (
    <div className={styles["tip"]} style={side} aria-hidden="true" data-testid="tip">
      <p className={styles["when"]}>{exact ? time(iso, true) : day(iso)}</p>
      <p className={styles["what"]}>{title}</p>
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}
