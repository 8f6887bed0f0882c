// Why the score is what it is: its parts as bars, each starting where the last ended.
import type { ScoreParts } from "../../api/types.ts";
import { percent, signed } from "../../shared/format.ts";
import styles from "./Explanation.module.css";
import { chainOf, scaleOf } from "./why.ts";

interface Props {
  parts: ScoreParts;
  total: number;
  score: number;
}

interface RowProps {
  name: string;
  from: number;
  to: number;
  text: string;
  kind: "start" | "up" | "down" | "sum";
  scale: { low: number; high: number };
  testId: string;
}

function Row({ name, from, to, text, kind, scale, testId }: RowProps) {
  const place = (value: number): number => ((value - scale.low) / (scale.high - scale.low)) * 100;
  const left = place(Math.min(from, to));
  const width = place(Math.max(from, to)) - left;
  const names = [styles["row"], kind === "sum" ? styles["total"] : ""];
  return (
    <li className={names.join(" ")} data-testid={testId}>
      <span className={styles["name"]}>{name}</span>
      <span className={styles["track"]} aria-hidden="true">
        <span className={styles["zero"]} style={{ left: `${place(0).toFixed(2)}%` }} />
        <span
          className={`${styles["bar"] ?? ""} ${styles[kind] ?? ""}`}
          style={{ left: `${left.toFixed(2)}%`, width: `${width.toFixed(2)}%` }}
        />
      </span>
      <span className={styles["value"]}>{text}</span>
    </li>
  );
}

export function Explanation({ parts, total, score }: Props) {
  const chain = chainOf(parts);
  const scale = scaleOf(chain);
  return (
    <div className={styles["explanation"]}>
      <h3 className={styles["title"]}>Why: what raises and lowers it</h3>
      <ul className={styles["rows"]} role="list" data-testid="explanation">
        {chain.map((part) => (
          <Row
            key={part.key}
            name={part.name}
            from={part.from}
            to={part.to}
            text={signed(part.value)}
            kind={part.key === "intercept" ? "start" : part.value < 0 ? "down" : "up"}
            scale={scale}
            testId={`part-${part.key}`}
          />
        ))}
        <Row
          name={`Log-odds, that is ${percent(score)}`}
          from={0}
          to={total}
          text={signed(total)}
          kind="sum"
          scale={scale}
          testId="part-total"
        />
      </ul>
    </div>
  );
}
