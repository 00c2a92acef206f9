// Builds the page into one folder: one HTML file that needs nothing else, and the licences of what is in it.

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { renderHtml } from "pooltrail";

const here = fileURLToPath(new URL(".", import.meta.url));

/** @param {string} entry @param {Record<string, string>} [define] */
async function bundled(entry, define = {}) {
  const { outputFiles } = await build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    write: false,
    platform: "browser",
    format: "iife",
    target: "es2023",
    define,
    // the types are those of the source, the program that of the package
    tsconfigRaw: {},
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
}

/** What a policy lets an inline text in by. @param {string} text */
function hashOf(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** What a report has inside, by its own policy: a frame in the page is bound by both. @param {string} directive */
function ofReports(directive) {
  const report = renderHtml("near", { symbols: [] }, { pointerSize: 8, title: "", command: "" });
  const [, hash] = new RegExp(`${directive} ('sha256-[^']+')`).exec(report) ?? [];
  if (hash === undefined) throw new Error(`a report has no ${directive}`);
  return hash;
}

/** Builds the page. @param {string} folder */
export async function buildSite(folder) {
  const worker = await bundled("worker.ts");
  // a text of the worker's may end no element of the page
  const script = (await bundled("page.ts", { WORKER_PROGRAM: JSON.stringify(worker) })).replaceAll(
    "</script",
    "<\\/script",
  );
  const style = readFileSync(join(here, "src/page.css"), "utf8");
  const policy = [
    "default-src 'none'",
    "connect-src 'none'",
    `script-src ${hashOf(script)} ${ofReports("script-src")} 'wasm-unsafe-eval'`,
    `style-src ${hashOf(style)} ${ofReports("style-src")}`,
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  /** @type {readonly (readonly [string, string])[]} */
  const parts = [
    [
      '<meta charset="utf-8">',
      `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">`,
    ],
    ['<link rel="stylesheet" href="page.css">', `<style>${style}</style>`],
    ['<script src="page.ts"></script>', `<script>${script}</script>`],
  ];
  let page = readFileSync(join(here, "src/page.html"), "utf8");
  for (const [stands, comes] of parts) {
    const [before, after, ...more] = page.split(stands);
    if (after === undefined || more.length > 0) throw new Error(`page.html has not one ${stands}`);
    page = before + comes + after;
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.html"), page);
  copyFileSync(join(here, "../../dist/third-party.txt"), join(folder, "third-party.txt"));
  return page.length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(here, "dist");
  const size = await buildSite(folder);
  console.log(`${join(folder, "index.html")}: ${size} bytes`);
}
