// Measures the JavaScript that each page loads at first, compressed, and refuses what is over budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 250;
const DIST = new URL("../dist/", import.meta.url);

/** @typedef {{ file: string, src?: string, isEntry?: boolean, imports?: string[] }} Chunk */

/** @type {Record<string, Chunk>} */
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", DIST), "utf8"));

/**
 * Every file that a chunk needs before it can run.
 * @param {string} name
 * @param {Set<string>} files
 */
function gather(name, files) {
  const chunk = manifest[name];
  if (chunk === undefined || files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const each of chunk.imports ?? []) gather(each, files);
}

const sizes = new Map();

/** @param {string} file */
function kilobytes(file) {
  const known = sizes.get(file);
  if (known !== undefined) return known;
  const size = gzipSync(readFileSync(new URL(file, DIST)), { level: 9 }).length / 1000;
  sizes.set(file, size);
  return size;
}

const entry = Object.keys(manifest).find((name) => manifest[name]?.isEntry === true);
if (entry === undefined) throw new Error("the manifest has no entry; run the build first");
const pages = Object.keys(manifest).filter((name) => /^src\/app\/pages\/.*\.tsx$/.test(name));
if (pages.length === 0) throw new Error("the manifest names no page");

let isOver = false;
for (const page of pages) {
  /** @type {Set<string>} */
  const files = new Set();
  gather(entry, files);
  gather(page, files);
  const total = [...files].reduce((sum, file) => sum + kilobytes(file), 0);
  isOver ||= total > BUDGET_KB;
  console.log(`${total.toFixed(1).padStart(7)} kB  ${page} (${files.size} files, gzip)`);
}
if (isOver) {
  console.error(`over the budget of ${BUDGET_KB} kB`);
  process.exitCode = 1;
}
