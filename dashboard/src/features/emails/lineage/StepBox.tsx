// One step of the path: what happened, its facts, and whether the API has just found it so.
import { day } from "../../../shared/format.ts";
import { Time } from "../../../shared/ui/Time.tsx";
import { CopyId } from "./CopyId.tsx";
import styles from "./Lineage.module.css";
import type { Fact, Step } from "./shapes.ts";

export function StepBox({ step }: { step: Step }) {
  return (
    <div className={styles["box"]} data-tone={step.tone} data-testid={`step-${step.id}`}>
      <p className={styles["title"]}>
        {step.title}
        {step.verified === null ? null : (
          <span className={styles["verified"]} title={step.verified} data-testid="verified">
            <span aria-hidden="true">✓ </span>verified
            <span className="visuallyHidden">: {step.verified}</span>
          </span>
        )}
      </p>
      <p className={styles["about"]}>{step.about}</p>
      {step.facts.length === 0 ? null : (
        <dl className={styles["facts"]}>
          {step.facts.map((fact, index) => (
            <div key={index}>
              <dt>{fact.name}</dt>
              <dd>
                <Value fact={fact} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

function Value({ fact }: { fact: Fact }) {
  if (fact.kind === "id") return <CopyId name={fact.name} value={fact.value} />;
  if (fact.kind === "time") return <Time at={fact.value} year />;
  if (fact.kind === "day") return <time dateTime={fact.value}>{day(fact.value)}</time>;
  return fact.value;
}
