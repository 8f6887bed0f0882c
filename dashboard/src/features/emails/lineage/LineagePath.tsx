// The path of an email from the rows it came from to the letter box, drawn and as an ordered list.
import { useState } from "react";
import { plural } from "../../../shared/format.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import styles from "./Lineage.module.css";
import { orderPaths } from "./orderPaths.ts";
import type { Lineage, OrderPath } from "./shapes.ts";
import { StepBox } from "./StepBox.tsx";
import { mainSteps } from "./steps.ts";

/** More orders than this are folded away: the path of each is the same. */
const ORDERS_SHOWN = 2;

export function LineagePath({ lineage }: { lineage: Lineage }) {
  const paths = orderPaths(lineage);
  return (
    <ol className={styles["path"]} role="list" aria-label="From row to email" data-testid="lineage">
      <li className={styles["step"]}>
        {paths.length === 0 ? (
          <p className={styles["gone"]}>
            {lineage.erased
              ? "The orders that led here were erased with the client."
              : "No order is part of the evidence."}
          </p>
        ) : (
          <Orders paths={paths} />
        )}
      </li>
      {mainSteps(lineage).map((step) => (
        <li key={step.id} className={styles["step"]}>
          <StepBox step={step} />
        </li>
      ))}
    </ol>
  );
}

function Orders({ paths }: { paths: OrderPath[] }) {
  const [all, setAll] = useState(false);
  // The newest orders say the most about a silence.
  const shown = all ? paths : paths.slice(-ORDERS_SHOWN);
  const left = paths.length - shown.length;
  return (
    <div className={styles["orders"]}>
      <p className={styles["heading"]}>
        {plural(paths.length, "order")} {paths.length === 1 ? "counts" : "count"} towards the score
      </p>
      <ul className={styles["lanes"]} role="list">
        {shown.map((path) => (
          <li key={path.orderId} className={styles["lane"]}>
            <ol className={styles["lanePath"]} role="list" aria-label={`Order ${path.orderId}`}>
              {path.steps.map((step) => (
                <li key={step.id} className={styles["step"]}>
                  <StepBox step={step} />
                </li>
              ))}
            </ol>
          </li>
        ))}
      </ul>
      {left > 0 ? (
        <Button
          small
          onClick={() => {
            setAll(true);
          }}
        >
          Show {plural(left, "older order")} too
        </Button>
      ) : null}
    </div>
  );
}
