// What was taken out of a text and put in, word by word; as text only, and not by colour alone.
import { tally, wordsChanged, type Run, type Wording } from "./difference.ts";
import { plural } from "../../shared/format.ts";
import styles from "./Changes.module.css";

function Runs({ runs }: { runs: Run[] }) {
  return runs.map((run, index) =>
    run.kind === "added" ? (
      <ins key={index} className={styles["added"]}>
        {run.text}
      </ins>
    ) : run.kind === "removed" ? (
      <del key={index} className={styles["removed"]}>
        {run.text}
      </del>
    ) : (
      <span key={index}>{run.text}</span>
    ),
  );
}

export function Changes({ before, after }: { before: Wording; after: Wording }) {
  const subject = wordsChanged(before.subject, after.subject);
  const body = wordsChanged(before.body, after.body);
  const { added, removed } = tally([...subject, ...body]);
  return (
    <section className={styles["changes"]} aria-label="Changes to the model’s draft">
      <p className={styles["tally"]} role="status" data-testid="tally">
        {added + removed === 0
          ? "Nothing is changed yet."
          : `${plural(added, "word")} added, ${plural(removed, "word")} removed.`}
      </p>
      {added + removed === 0 ? null : (
        <div className={styles["text"]} data-testid="changes">
          <p className={styles["subject"]}>
            <Runs runs={subject} />
          </p>
          <p className={styles["body"]}>
            <Runs runs={body} />
          </p>
        </div>
      )}
    </section>
  );
}
