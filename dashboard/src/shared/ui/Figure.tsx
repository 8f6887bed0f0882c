// A chart with the same facts as a table beside it, for those who read rather than look.
import { useId, useState, type ReactNode } from "react";
import { Button } from "./Button.tsx";
import styles from "./Figure.module.css";

interface Props {
  /** What the chart says, in one sentence. */
  caption: string;
  chart: ReactNode;
  table: ReactNode;
}

export function Figure({ caption, chart, table }: Props) {
  const id = useId();
  const [isTable, setIsTable] = useState(false);
  return (
    <figure className={styles["figure"]}>
      <div id={id}>{isTable ? table : chart}</div>
      <figcaption className={styles["caption"]}>
        <span>{caption}</span>
        <Button
          small
          aria-pressed={isTable}
          aria-controls={id}
          onClick={() => {
            setIsTable(!isTable);
          }}
        >
          Show as table
        </Button>
      </figcaption>
    </figure>
  );
}
