// The policy in force in words, and the word of a newer one that came meanwhile.
import { Button } from "../../shared/ui/Button.tsx";
import { Card } from "../../shared/ui/Card.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import { ChangeList } from "./ChangeList.tsx";
import { changesBetween, type PolicyRow } from "./document.ts";
import styles from "./PolicyEditor.module.css";
import { inWords } from "./words.ts";

export function InForce({ row }: { row: PolicyRow }) {
  return (
    <Card
      title="The policy in force"
      aside={
        <span data-testid="policy-version" data-version={row.version}>
          version {row.version}, by {row.created_by}, <Time at={row.created_at} year />
        </span>
      }
    >
      <ul className={styles["words"]} data-testid="policy-words">
        {inWords(row.document).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </Card>
  );
}

interface NewerProps {
  base: PolicyRow;
  newer: PolicyRow;
  onTake: () => void;
}

export function Newer({ base, newer, onTake }: NewerProps) {
  const changes = changesBetween(base.document, newer.document);
  return (
    <section className={styles["newer"]} aria-label="A newer version" data-testid="policy-conflict">
      <p role="alert">
        Version {newer.version} came into force while you were working on version {base.version}:{" "}
        {newer.created_by} saved it{newer.note === "" ? "" : `, “${newer.note}”`}. Nothing of yours is
        saved or lost. Put your changes onto it, look at what they do now, and save again.
      </p>
      {changes.length === 0 ? (
        <p>It says the same as the one before.</p>
      ) : (
        <ChangeList changes={changes} label="What the newer version changed" />
      )}
      <Button small onClick={onTake}>
        Put my changes onto version {newer.version}
      </Button>
    </section>
  );
}
