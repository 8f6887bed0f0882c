// Pure: one row of a file as the body that the API takes, or what is wrong with it and where.
import { FORMS, type Field, type Value } from "./fields.ts";
import type { Mapping } from "./mapping.ts";

export type Body = Record<string, Value>;

export interface RowProblem {
  /** The name of the column as the file has it; null when the row as a whole is meant. */
  column: string | null;
  detail: string;
}

export interface SourceRow {
  /** The line on which the row begins, from 1; the header stands on line 1. */
  line: number;
  cells: string[];
}

export interface Rejected extends SourceRow {
  problems: RowProblem[];
}

export interface Reading {
  headers: readonly string[];
  fields: readonly Field[];
  mapping: Mapping;
  /** Values for fields that a row leaves blank. */
  defaults: Body;
}

/** Undo the quote that a safe download puts before a cell that a spreadsheet would calculate. */
function cellOf(row: SourceRow, place: number): string {
  return (row.cells[place] ?? "").trim().replace(/^'(?=[=+\-@])/, "");
}

/** Turn a row into a body; the problems are those that can be told without the API. */
export function bodyOf(
  row: SourceRow,
  reading: Reading,
): { body: Body; problems: null } | { body: null; problems: RowProblem[] } {
  const { headers, fields, mapping, defaults } = reading;
  if (row.cells.length > headers.length) {
    const detail =
      `has ${row.cells.length} cells, but the header names ${headers.length} columns: ` +
      "a comma in a text needs quotes around it";
    return { body: null, problems: [{ column: null, detail }] };
  }
  const body: Body = { ...defaults };
  const problems: RowProblem[] = [];
  for (const field of fields) {
    const place = mapping[field.name] ?? null;
    const cell = place === null ? "" : cellOf(row, place);
    if (place === null || cell === "") continue;
    const converted = field.convert(cell);
    if ("error" in converted) {
      problems.push({ column: headers[place] ?? field.label, detail: converted.error });
    } else {
      body[field.name] = converted.value;
    }
  }
  return problems.length > 0 ? { body: null, problems } : { body, problems: null };
}

/**
 * Read what the API says about a line, such as "email: is not valid; style_tags.0: is too long", as
 * problems of the file's columns. A detail that names no field is about the row.
 */
export function problemsOf(detail: string, reading: Reading): RowProblem[] {
  return detail.split("; ").map((part) => {
    const [, name = "", said = ""] = /^([a-z_]+)(?:\.[\w.]+)?: (.+)$/.exec(part) ?? [];
    const field = reading.fields.find((each) => each.name === name);
    if (field === undefined) return { column: null, detail: part };
    const place = reading.mapping[field.name] ?? null;
    const column = place === null ? field.label : (reading.headers[place] ?? "");
    // A pattern tells a programmer what is wrong, and nobody else.
    const form = said.startsWith("String should match pattern") ? FORMS[name] : undefined;
    return { column, detail: form ?? said };
  });
}

/** How many lines a row takes in the file: a quoted cell may hold line breaks. */
export function linesOf(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 1);
}
