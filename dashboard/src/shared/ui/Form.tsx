// The parts of a form: labelled fields that show what the API found wrong with them.
import { useId, type ComponentProps, type ReactNode } from "react";
import { ProblemError } from "../../api/problem.ts";
import styles from "./Form.module.css";

export const form = styles;

interface FrameProps {
  label: string;
  error: string | null;
  hint?: string | undefined;
  children: (ids: { id: string; "aria-describedby": string | undefined }) => ReactNode;
}

function Frame({ label, error, hint, children }: FrameProps) {
  const id = useId();
  const note = error ?? hint;
  const noteId = note === undefined ? undefined : `${id}-note`;
  return (
    <div className={styles["field"]}>
      <label className={styles["label"]} htmlFor={id}>
        {label}
      </label>
      {children({ id, "aria-describedby": noteId })}
      {note === undefined ? null : (
        <p id={noteId} className={styles[error === null ? "hint" : "error"]}>
          {note}
        </p>
      )}
    </div>
  );
}

interface Shared {
  label: string;
  name: string;
  problem?: unknown;
  hint?: string;
}

export function TextField({
  label,
  name,
  problem,
  hint,
  ...rest
}: Shared & Omit<ComponentProps<"input">, "id">) {
  const error = errorOf(problem, name);
  return (
    <Frame label={label} error={error} hint={hint}>
      {(ids) => (
        <input
          {...rest}
          {...ids}
          name={name}
          className={styles["control"]}
          aria-invalid={error === null ? undefined : true}
        />
      )}
    </Frame>
  );
}

export function TextArea({
  label,
  name,
  problem,
  hint,
  ...rest
}: Shared & Omit<ComponentProps<"textarea">, "id">) {
  const error = errorOf(problem, name);
  return (
    <Frame label={label} error={error} hint={hint}>
      {(ids) => (
        <textarea
          {...rest}
          {...ids}
          name={name}
          className={`${styles["control"] ?? ""} ${styles["area"] ?? ""}`}
          aria-invalid={error === null ? undefined : true}
        />
      )}
    </Frame>
  );
}

export function SelectField({
  label,
  name,
  problem,
  hint,
  children,
  ...rest
}: Shared & Omit<ComponentProps<"select">, "id">) {
  const error = errorOf(problem, name);
  return (
    <Frame label={label} error={error} hint={hint}>
      {(ids) => (
        <select
          {...rest}
          {...ids}
          name={name}
          className={styles["control"]}
          aria-invalid={error === null ? undefined : true}
        >
          {children}
        </select>
      )}
    </Frame>
  );
}

export function CheckField({ label, name, ...rest }: Shared & Omit<ComponentProps<"input">, "id">) {
  return (
    <label className={styles["check"]}>
      <input {...rest} type="checkbox" name={name} />
      <span>{label}</span>
    </label>
  );
}

/** What the API said about one field, if it did. */
function errorOf(problem: unknown, name: string): string | null {
  if (!(problem instanceof ProblemError)) return null;
  return problem.fields.find((each) => each.field === name)?.detail ?? null;
}

/** Read a text field of a submitted form; blank means nothing. */
export function textOf(data: FormData, name: string): string | null {
  const value = data.get(name);
  const text = typeof value === "string" ? value.trim() : "";
  return text === "" ? null : text;
}
