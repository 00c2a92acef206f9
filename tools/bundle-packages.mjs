/**
 * Writes src/generated/{iced-x86,fflate,pkijs,kaitai-struct}.js: packages that cannot be bundled further as they are, or run in a
 * browser, because they `require` what is beside them. Those that take long to load are a function that makes them when it
 * is first called, so that no command pays for what it does not need. Their licences go into dist/third-party.txt.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { deflateSync } from "fflate";

const generated = fileURLToPath(new URL("../src/generated/", import.meta.url));

/** @param {string} name @returns {string} the folder of an installed package */
function folderOf(name) {
  return fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url));
}

/** @param {string} text a script @returns {string} as one long expression's worth of code */
function minified(text) {
  const result = buildSync({
    stdin: { contents: text, loader: "js" },
    minify: true,
    write: false,
    target: "es2022",
    format: "esm",
  });
  return result.outputFiles[0]?.text ?? "";
}

/** The names of all encodings that iced-x86 knows: two thirds of its script, in one line, and nothing here asks for one. */
const ENCODINGS = /^module\.exports\.Code = Object\.freeze\(\{.*\}\);$/;

/** The package's build for Node, with its WebAssembly beside it as text in place of a file. */
function iced() {
  const folder = folderOf("iced-x86");
  const lines = readFileSync(join(folder, "iced_x86.js"), "utf8").split("\n");
  const end = lines.findIndex((line) => line.startsWith("const path = require('path')"));
  const body = lines
    .slice(0, end)
    .filter((line) => !/^const \{ TextDecoder, TextEncoder \} = require/.test(line) && !ENCODINGS.test(line))
    .join("\n")
    .replaceAll("module.exports", "made");
  if (end < 0 || /\brequire\(/.test(body.replace(/^\s*\*.*$/gm, "")))
    throw new Error("iced-x86 is not laid out as this script knows it");
  const wasm = Buffer.from(deflateSync(readFileSync(join(folder, "iced_x86_bg.wasm")), { level: 9 }));
  const code = minified(`export function loadIced(bytes) {
    const made = {};
    ${body}
    wasm = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
    made.__wasm = wasm;
    return made;
  }
  export const ICED_WASM = "${wasm.toString("base64")}";`);
  writeFileSync(join(generated, "iced-x86.js"), code);
  writeFileSync(
    join(generated, "iced-x86.d.ts"),
    [
      'import type * as Iced from "iced-x86";',
      "",
      "/** The package, made of its WebAssembly. */",
      'export declare function loadIced(bytes: Uint8Array): Omit<typeof Iced, "Code">;',
      "/** It, deflated, in base64. */",
      "export declare const ICED_WASM: string;",
      "",
    ].join("\n"),
  );
}

/** The runtime of what ksy/ compiles to; what it can load beside it, for encodings and packing, no layout of ours asks for. */
function kaitai() {
  const result = buildSync({
    stdin: {
      contents: 'import KaitaiStream from "kaitai-struct/KaitaiStream.js"; export default { KaitaiStream };',
      resolveDir: fileURLToPath(new URL("..", import.meta.url)),
    },
    bundle: true,
    minify: true,
    write: false,
    target: "es2022",
    platform: "neutral",
    mainFields: ["main"],
    format: "esm",
    // it asks for packages only where this is a function
    define: { require: "undefined" },
  });
  writeFileSync(join(generated, "kaitai-struct.js"), result.outputFiles[0]?.text ?? "");
  writeFileSync(join(generated, "kaitai-struct.d.ts"), 'export { default } from "kaitai-struct";\n');
}

/**
 * A function that makes packages when it is first called.
 *
 * @param {string} file @param {string} loader its name
 * @param {Readonly<Record<string, readonly string[]>>} taken what is taken of each package
 * @returns the packages that went into it
 */
function lazily(file, loader, taken) {
  const result = buildSync({
    stdin: {
      contents: Object.entries(taken)
        .map(([name, parts]) => `export { ${parts.join(", ")} } from "${name}";`)
        .join("\n"),
      resolveDir: fileURLToPath(new URL("..", import.meta.url)),
    },
    bundle: true,
    minify: true,
    write: false,
    target: "es2022",
    platform: "neutral",
    mainFields: ["module", "main"],
    format: "iife",
    globalName: "made",
    metafile: true,
  });
  const code = result.outputFiles[0]?.text ?? "";
  writeFileSync(
    join(generated, `${file}.js`),
    `let loaded;\nexport function ${loader}() {\nif (loaded !== undefined) return loaded;\n${code}return loaded = made;\n}\n`,
  );
  const types = Object.entries(taken).map(
    ([name, parts]) => `Pick<typeof import("${name}"), ${parts.map((part) => `"${part}"`).join(" | ")}>`,
  );
  writeFileSync(
    join(generated, `${file}.d.ts`),
    `/** What is taken of ${Object.keys(taken).join(" and ")}. */\nexport declare function ${loader}(): ${types.join(" & ")};\n`,
  );
  const inputs = Object.values(result.metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  return [...new Set(inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []))];
}

iced();
kaitai();
const loaded = [
  ...lazily("fflate", "loadFflate", { fflate: ["inflateSync", "unzlibSync"] }),
  ...lazily("pkijs", "loadPki", {
    asn1js: ["Constructed", "fromBER", "Primitive", "Sequence"],
    pkijs: ["Certificate", "ContentInfo", "IssuerAndSerialNumber", "SignedData"],
  }),
];
const licences = ["iced-x86", "kaitai-struct", "pe-library", ...loaded].sort().map((name) => {
  const folder = folderOf(name);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined) throw new Error(`${name} comes without its licence`);
  return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
});
writeFileSync(
  join(generated, "third-party.txt"),
  `Packages that are bundled into pooltrail, with their licences.\n\n${licences.join(`\n${"-".repeat(72)}\n\n`)}`,
);
