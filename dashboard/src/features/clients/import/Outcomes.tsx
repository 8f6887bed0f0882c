// How a check and an import ended, and what to do next.
import { Link } from "@tanstack/react-router";
import { count, plural } from "../../../shared/format.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import { Card } from "../../../shared/ui/Card.tsx";
import { Problem } from "../../../shared/ui/Notice.tsx";
import { saveFile } from "../saveFile.ts";
import type { Outcome, Stopped } from "./bulkLoad.ts";
import { rejectedCsv } from "./csvFile.ts";
import type { Kind } from "./fields.ts";
import styles from "./Import.module.css";
import { RowProblems } from "./RowProblems.tsx";
import type { Opened } from "./useImport.ts";

const ONE: Record<Kind, string> = { clients: "client", orders: "order" };

interface CheckedProps {
  kind: Kind;
  opened: Opened;
  outcome: Outcome;
  onLoad: () => void;
  onBack: () => void;
}

export function Checked({ kind, opened, outcome, onLoad, onBack }: CheckedProps) {
  const { accepted, rejected, stopped } = outcome;
  const what = plural(accepted, ONE[kind]);
  return (
    <Card title="What the import would do">
      {stopped === null ? (
        <p className={styles["verdict"]} data-testid="check-result">
          {what} would be imported, {plural(rejected.length, "row")} left out. Nothing is written
          yet.
        </p>
      ) : (
        <Broken stopped={stopped} />
      )}
      <RowProblems rejected={rejected} />
      <div className={styles["acts"]}>
        <Button onClick={onBack}>Back to the columns</Button>
        <SaveRejected opened={opened} outcome={outcome} />
        {stopped === null && accepted > 0 ? (
          <Button weight="primary" onClick={onLoad}>
            Import {what}
          </Button>
        ) : null}
      </div>
    </Card>
  );
}

interface DoneProps {
  kind: Kind;
  opened: Opened;
  outcome: Outcome;
  onAgain: () => void;
}

export function Done({ kind, opened, outcome, onAgain }: DoneProps) {
  const { accepted, rejected, stopped } = outcome;
  return (
    <Card title={stopped === null ? "Imported" : "Imported in part"}>
      <p className={styles["verdict"]} role="status" data-testid="import-result">
        {plural(accepted, ONE[kind])} imported, {plural(rejected.length, "row")} rejected.
      </p>
      {stopped === null ? null : <Broken stopped={stopped} />}
      {accepted > 0 ? (
        <p className={styles["about"]}>Their scores follow within seconds, many in minutes.</p>
      ) : null}
      <RowProblems rejected={rejected} />
      <div className={styles["acts"]}>
        <Button onClick={onAgain}>Import another file</Button>
        <SaveRejected opened={opened} outcome={outcome} />
        <Link to="/clients">See all clients</Link>
      </div>
    </Card>
  );
}

/** Why a run ended early, and of which rows it is not known what became. */
function Broken({ stopped }: { stopped: Stopped }) {
  const { error, unknown } = stopped;
  const isCancelled = error instanceof DOMException && error.name === "AbortError";
  return (
    <>
      {isCancelled ? (
        <p className={styles["verdict"]} data-testid="import-cancelled">
          You cancelled it; the rest of the file was not sent.
        </p>
      ) : (
        <Problem error={error} small />
      )}
      {unknown === null ? null : (
        <p className={styles["error"]} role="alert" data-testid="import-unknown">
          No answer came for lines {count(unknown.from)} to {count(unknown.to)}: look whether they
          went in before you send them again. A row with an id is never imported twice.
        </p>
      )}
    </>
  );
}

function SaveRejected({ opened, outcome }: { opened: Opened; outcome: Outcome }) {
  const { rejected } = outcome;
  if (rejected.length === 0) return null;
  return (
    <Button
      onClick={() => {
        const text = rejectedCsv(opened.table.headers, rejected);
        const name = opened.file.name.replace(/\.\w+$/, "");
        // The mark at the beginning tells spreadsheets that it is UTF-8.
        saveFile(`${name}-rejected.csv`, new Blob(["\ufeff", text], { type: "text/csv" }));
      }}
    >
      Download the rejected rows
    </Button>
  );
}
