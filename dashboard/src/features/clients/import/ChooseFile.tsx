// The first step: a file, by a dialog or dropped on the page.
import { useId } from "react";
import { Button } from "../../../shared/ui/Button.tsx";
import { Card } from "../../../shared/ui/Card.tsx";
import { saveFile } from "../saveFile.ts";
import { FIELDS, type Kind } from "./fields.ts";
import styles from "./Import.module.css";

interface Props {
  kind: Kind;
  error: string | null;
  onChoose: (file: File) => void;
}

export function ChooseFile({ kind, error, onChoose }: Props) {
  const id = useId();
  const fields = FIELDS[kind];
  const required = fields.filter((field) => field.required).map((field) => field.label);
  return (
    <Card title="Choose a CSV file">
      {/* A browser's own file field also takes what is dropped on it. */}
      <div className={styles["drop"]}>
        <label htmlFor={id} className={styles["fileLabel"]}>
          The file, or drop it here
        </label>
        <input
          id={id}
          type="file"
          accept=".csv,.tsv,.txt,text/csv"
          onChange={(event) => {
            const file = event.target.files?.[0];
            if (file !== undefined) onChoose(file);
          }}
        />
      </div>
      {error === null ? null : (
        <p className={styles["error"]} role="alert" data-testid="file-error">
          {error}
        </p>
      )}
      <p className={styles["about"]}>
        The first line names the columns; needed: {required.join(", ")}. The file is read in your
        browser and checked row by row before anything is written.
      </p>
      <Button
        small
        onClick={() => {
          const head = `${fields.map((field) => field.name).join(",")}\r\n`;
          saveFile(`${kind}.csv`, new Blob([head], { type: "text/csv" }));
        }}
      >
        Download an empty file with all columns
      </Button>
    </Card>
  );
}
