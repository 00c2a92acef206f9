/**
 * Writes src/trail/documented-functions.ts: the names of the kernel functions that public driver headers
 * declare. Names only; the headers are those of Debian's package mingw-w64-common.
 *
 *   apt-get install mingw-w64-common
 *   node tools/documented-functions.mjs
 */
import { readFileSync, writeFileSync } from "node:fs";

const HEADERS = "/usr/share/mingw-w64/include/ddk";
const FILES = ["wdm.h", "ntddk.h", "ntifs.h", "csq.h", "wdmsec.h"];
const PREFIX =
  /^(?:Cc|Cm|Ex|Exf|FsRtl|Hal|Interlocked|Io|IoCsq|Iof|Kd|Ke|Kef|Kf|Mm|Nt|Ob|Obf|Po|Ps|Rtl|Rtlx|Se|Tm|Wmi|Zw)[A-Z]\w+$/;

const names = new Set();
for (const file of FILES) {
  const text = readFileSync(`${HEADERS}/${file}`, "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/.*$/gm, "")
    .replace(/\\\r?\n/g, " ")
    .replace(/^\s*#.*$/gm, "");
  for (const [, name] of text.matchAll(
    /\b([A-Z]\w+)\s*\(\s*(?:IN|OUT|_In|_Out|VOID|void|P?[A-Z]\w*\s+\w+|\w+\s*\*|__|\))/g,
  )) {
    if (name !== undefined && PREFIX.test(name)) names.add(name);
  }
}

const lines = [];
let line = "";
for (const name of [...names].sort()) {
  if (line.length + name.length + 1 > 108) {
    lines.push(line);
    line = "";
  }
  line += line === "" ? name : ` ${name}`;
}
lines.push(line);
writeFileSync(
  new URL("../src/trail/documented-functions.ts", import.meta.url),
  `/**
 * Kernel functions that the public driver headers of mingw-w64 10.0.0 declare, which follow the Windows 7
 * driver kit: what came later is not among them. Written by tools/documented-functions.mjs.
 */
const NAMES = \`
${lines.join("\n")}
\`;

/** The last build of Windows whose functions the headers know. */
const HEADERS_BUILD = 7601;

const DOCUMENTED: ReadonlySet<string> = new Set(NAMES.split(/\\s+/).filter(Boolean));

/**
 * Whether a function of nt or hal is documented. Null where the headers cannot tell: of a Windows that is
 * newer than they are, a name that they lack may be documented since.
 *
 * @param build of the Windows that exports it
 */
export function isDocumented(name: string, build: number | undefined): boolean | null {
  if (DOCUMENTED.has(name)) return true;
  return build !== undefined && build <= HEADERS_BUILD ? false : null;
}
`,
);
console.log(`${names.size} names`);
