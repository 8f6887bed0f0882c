// Reads a CSV file piece by piece, so that its size does not matter, and writes one that is safe to open.
import Papa from "papaparse";
import { linesOf, type Rejected, type SourceRow } from "./rows.ts";

/** So little is parsed at once that the page stays at hand meanwhile. */
const PIECE_BYTES = 64 * 1024;
const PREVIEW_ROWS = 5;
const DELIMITERS = [",", ";", "\t", "|"];
/** Papa marks what it could not read as text with this character. */
const UNREADABLE = "\ufffd";

export interface Table {
  headers: string[];
  rows: SourceRow[];
  delimiter: string;
}

export class CsvError extends Error {
  override readonly name = "CsvError";
}

interface Piece {
  rows: SourceRow[];
  /** How much of the file has been read, from 0 to 1. */
  share: number;
}

function isBlank(cells: readonly string[]): boolean {
  return cells.every((cell) => cell.trim() === "");
}

/** The delimiter that cuts the header into the most columns; Papa's own guess needs many rows. */
function delimiterOf(text: string): string {
  const columns = (delimiter: string): number =>
    Papa.parse<string[]>(text, { preview: 1, delimiter }).data[0]?.length ?? 0;
  return DELIMITERS.reduce((best, each) => (columns(each) > columns(best) ? each : best));
}

/** Read the header and the first rows; throws CsvError where it is no such file. */
export async function openTable(file: File): Promise<Table> {
  const rows: SourceRow[] = [];
  const parsed = await new Promise<Papa.ParseResult<string[]>>((resolve, reject) => {
    Papa.parse<string[]>(file, {
      preview: PREVIEW_ROWS + 1,
      delimiter: delimiterOf,
      chunkSize: PIECE_BYTES,
      complete: resolve,
      error: reject,
    });
  });
  let line = 1;
  for (const cells of parsed.data) {
    if (!isBlank(cells)) rows.push({ line, cells });
    line += linesOf(cells);
  }
  const [head, ...rest] = rows;
  if (head === undefined) throw new CsvError("The file is empty.");
  if (head.line !== 1) throw new CsvError("The first line must name the columns; it is blank.");
  const headers = head.cells.map((cell) => cell.trim());
  if (rows.some((row) => row.cells.some((cell) => cell.includes(UNREADABLE)))) {
    throw new CsvError("The file is not in UTF-8. Save it as “CSV UTF-8” and choose it again.");
  }
  if (rest.length === 0) throw new CsvError("The file names columns but holds no row.");
  return { headers, rows: rest, delimiter: parsed.meta.delimiter };
}

/** Give the rows behind the header to `take`, piece after piece; the next waits for it. */
export function readRows(
  file: File,
  table: Table,
  signal: AbortSignal,
  take: (piece: Piece) => Promise<void>,
): Promise<void> {
  let line = 1;
  let isHead = true;
  return new Promise((resolve, reject) => {
    Papa.parse<string[]>(file, {
      delimiter: table.delimiter,
      chunkSize: PIECE_BYTES,
      chunk: (results, parser) => {
        const rows: SourceRow[] = [];
        for (const cells of results.data) {
          if (!isHead && !isBlank(cells)) rows.push({ line, cells });
          isHead = false;
          line += linesOf(cells);
        }
        parser.pause();
        const share = file.size === 0 ? 1 : Math.min(1, results.meta.cursor / file.size);
        take({ rows, share }).then(
          () => {
            if (!signal.aborted) {
              parser.resume();
              return;
            }
            // An abort also counts as complete, so that the refusal must come first.
            reject(signal.reason as Error);
            parser.abort();
          },
          (error: unknown) => {
            reject(error instanceof Error ? error : new Error(String(error)));
            parser.abort();
          },
        );
      },
      complete: () => {
        resolve();
      },
      error: reject,
    });
  });
}

/**
 * The rejected rows as a CSV to mend and import again: the line and what is wrong, then the row as
 * it was. A cell that a spreadsheet would calculate (= + - @) gets a quote before it
 * (owasp.org/www-community/attacks/CSV_Injection); reading it again takes the quote away.
 */
export function rejectedCsv(headers: readonly string[], rejected: readonly Rejected[]): string {
  return Papa.unparse(
    {
      fields: ["line", "problem", ...headers],
      data: rejected.map((row) => [
        String(row.line),
        row.problems
          .map(({ column, detail }) => (column === null ? detail : `${column}: ${detail}`))
          .join("; "),
        ...row.cells,
      ]),
    },
    { escapeFormulae: true, newline: "\r\n" },
  );
}
