// The second step: which column holds what, beside the first rows of the file.
import { Button } from "../../../shared/ui/Button.tsx";
import { Card } from "../../../shared/ui/Card.tsx";
import { form } from "../../../shared/ui/Form.tsx";
import { Table } from "../../../shared/ui/Table.tsx";
import { FIELDS, type Field, type Kind } from "./fields.ts";
import styles from "./Import.module.css";
import { missingOf, type Mapping } from "./mapping.ts";
import type { Opened } from "./useImport.ts";

interface Props {
  kind: Kind;
  opened: Opened;
  mapping: Mapping;
  onMapping: (mapping: Mapping) => void;
  consent: boolean;
  onConsent: (consent: boolean) => void;
  onCheck: () => void;
  onBack: () => void;
}

export function MapColumns(props: Props) {
  const { kind, opened, mapping, onMapping, consent, onConsent, onCheck, onBack } = props;
  const { headers, rows } = opened.table;
  const fields = FIELDS[kind];
  const missing = missingOf(mapping, fields);
  return (
    <Card title={`Which column of ${opened.file.name} holds what?`}>
      <form
        className={form["form"]}
        onSubmit={(event) => {
          event.preventDefault();
          if (missing.length === 0) onCheck();
        }}
      >
        <div className={styles["fields"]}>
          {fields.map((field) => (
            <FieldColumn
              key={field.name}
              field={field}
              headers={headers}
              column={mapping[field.name] ?? null}
              onChoose={(column) => {
                onMapping({ ...mapping, [field.name]: column });
              }}
            />
          ))}
        </div>
        {kind === "clients" ? (
          <label className={form["check"]}>
            <input
              type="checkbox"
              checked={consent}
              onChange={(event) => {
                onConsent(event.target.checked);
              }}
            />
            <span>Where the file does not say: they agree to be written to</span>
          </label>
        ) : (
          <p className={styles["about"]}>
            A time without a zone is read in yours, and a date without a time as noon UTC; an
            order with neither is dated now.
          </p>
        )}
        <Table
          label="The first rows of the file"
          testId="preview"
          rows={rows}
          keyOf={(row) => row.line}
          columns={[
            { key: "line", head: "Line", numeric: true, cell: (row) => row.line },
            ...headers.map((header, index) => ({
              key: String(index),
              head: header === "" ? `Column ${index + 1}` : header,
              cell: (row: { cells: string[] }) => row.cells[index] ?? "",
            })),
          ]}
        />
        {missing.length === 0 ? null : (
          <p className={styles["error"]} role="alert">
            Choose a column for: {missing.map((field) => field.label).join(", ")}.
          </p>
        )}
        <div className={form["actions"]}>
          <Button onClick={onBack}>Another file</Button>
          <Button type="submit" weight="primary" disabled={missing.length > 0}>
            Check all rows
          </Button>
        </div>
      </form>
    </Card>
  );
}

interface FieldProps {
  field: Field;
  headers: string[];
  column: number | null;
  onChoose: (column: number | null) => void;
}

function FieldColumn({ field, headers, column, onChoose }: FieldProps) {
  return (
    <label className={form["field"]}>
      <span className={form["label"]}>
        {field.label}
        {field.required ? " (needed)" : ""}
      </span>
      <select
        className={form["control"]}
        data-testid={`column-${field.name}`}
        value={column ?? ""}
        onChange={({ target }) => {
          onChoose(target.value === "" ? null : Number(target.value));
        }}
      >
        <option value="">not in the file</option>
        {headers.map((header, index) => (
          <option key={index} value={index}>
            {header === "" ? `Column ${index + 1}` : header}
          </option>
        ))}
      </select>
    </label>
  );
}
