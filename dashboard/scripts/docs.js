// Puts Swagger UI beside the dashboard, for the API's page /docs: its files are served from here.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const from = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const to = new URL("../dist/api-docs/", import.meta.url).pathname;
const DATA = /url\((["']?)data:image\/([a-z]+)[^,]*?(;base64)?,((?:\\.|(?!\1\)).)*?)\1\)/gs;

mkdirSync(to, { recursive: true });
for (const name of ["swagger-ui-bundle.js", "LICENSE", "NOTICE"]) {
  copyFileSync(join(from, name), join(to, name));
}

/**
 * Write an image that a style sheet carries within it to a file; return how it is named there.
 * @param {string} kind
 * @param {boolean} base64
 * @param {string} text
 */
function fileOf(kind, base64, text) {
  const plain = text.replaceAll(/\\(["'\\])/g, "$1");
  const bytes = base64 ? Buffer.from(text, "base64") : Buffer.from(decodeURIComponent(plain));
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const name = `${digest}.${kind}`;
  writeFileSync(join(to, name), bytes);
  return `url("${name}")`;
}

// The page's policy refuses data: addresses, as it does for the dashboard.
const css = readFileSync(join(from, "swagger-ui.css"), "utf8").replaceAll(
  DATA,
  (_, _quote, kind, base64, text) => fileOf(kind, base64 !== undefined, text),
);
if (css.includes("url(data:") || css.includes('url("data:')) {
  throw new Error("an image is still within swagger-ui.css; see scripts/docs.js");
}
writeFileSync(join(to, "swagger-ui.css"), css.replace(/\/\*# sourceMappingURL=.*?\*\/\s*$/, ""));
