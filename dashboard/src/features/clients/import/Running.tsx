// While rows are checked or loaded: how far it is, what was found so far, and a way to stop.
import { Progress as Bar } from "@base-ui/react/progress";
import { plural } from "../../../shared/format.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import { Card } from "../../../shared/ui/Card.tsx";
import type { Progress } from "./bulkLoad.ts";
import styles from "./Import.module.css";
import { RowProblems } from "./RowProblems.tsx";
import type { Phase } from "./sendBatch.ts";

interface Props {
  phase: Phase;
  progress: Progress;
  onCancel: () => void;
}

const TITLES: Record<Phase, string> = { check: "Checking all rows", load: "Importing" };

export function Running({ phase, progress, onCancel }: Props) {
  const { share, accepted, rejected } = progress;
  const good = phase === "check" ? "in order" : "imported";
  return (
    <Card title={TITLES[phase]}>
      <Bar.Root value={Math.round(share * 100)} className={styles["progress"]}>
        <Bar.Label className="visuallyHidden">{TITLES[phase]}</Bar.Label>
        <Bar.Track className={styles["track"]}>
          <Bar.Indicator className={styles["indicator"]} />
        </Bar.Track>
        <Bar.Value className={styles["share"]} />
      </Bar.Root>
      <div className={styles["line"]}>
        <p data-testid="import-progress">
          {plural(accepted, "row")} {good}, {plural(rejected.length, "row")} rejected
        </p>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
      <p className={styles["about"]}>
        {phase === "check"
          ? "Nothing is written yet."
          : "Cancel stops after the rows that are under way; what is imported stays."}
      </p>
      <RowProblems rejected={rejected} />
    </Card>
  );
}
