// Compiles each ksy/*.ksy into src/generated/: an ES module and its declarations, from the same file.
// `node ksy/build.mjs SOURCE TARGET` does it for other folders.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import KaitaiStructCompiler from "kaitai-struct-compiler";
import { parse } from "yaml";
import { renderDeclarations } from "./declarations.mjs";

const here = dirname(fileURLToPath(import.meta.url));
/** Where the runtime stands beside what is generated. */
const OWN = join(here, "../src/generated");
const [source = here, target = OWN] = process.argv.slice(2);

/**
 * Every layout by its file name, which is also the name that `meta/imports` uses.
 * @type {ReadonlyMap<string, import("./declarations.mjs").Spec>}
 */
const specs = new Map(
  readdirSync(source)
    .filter((file) => file.endsWith(".ksy"))
    .sort()
    .map((file) => [file.slice(0, -".ksy".length), parse(readFileSync(join(source, file), "utf8"))]),
);
for (const [name, spec] of specs) {
  if (spec.meta?.id !== name)
    throw new Error(`${name}.ksy: meta/id must be the file's name, found ${spec.meta?.id}`);
}

const importer = {
  /** @param {string} name */
  importYaml(name) {
    const spec = specs.get(name);
    return spec === undefined
      ? Promise.reject(new Error(`there is no ksy/${name}.ksy`))
      : Promise.resolve(spec);
  },
};

/**
 * The compiler wraps a module for AMD and CommonJS; this keeps the factory and hands it ES imports.
 * A part of a stream is asked of the stream itself, so that it still knows its place in the file.
 *
 * @param {string} name @param {string} umd @param {readonly string[]} imports
 */
function toModule(name, umd, imports) {
  const factory =
    /\}\)\(typeof self !== 'undefined' \? self : this, (function \([^)]*\) \{[\s\S]*\})\);\s*$/.exec(
      umd,
    )?.[1];
  const className = /^function \((\w+)_,/.exec(factory ?? "")?.[1];
  if (factory === undefined || className === undefined)
    throw new Error(`${name}.ksy: the compiler's output has a shape that is not known`);
  const body = factory.replaceAll("new KaitaiStream(", "this._io.part(");
  return [
    `import kaitai from "${target === OWN ? "./kaitai-struct.js" : "kaitai-struct"}";`,
    ...imports.map((other, i) => `import * as import${i} from "./${other}.js";`),
    "const exported = {};",
    `(${body})(${["exported", "kaitai.KaitaiStream", ...imports.map((_, i) => `import${i}`)].join(", ")});`,
    `export const ${className} = exported.${className};`,
    "",
  ].join("\n");
}

const files = new Map();
for (const [name, spec] of specs) {
  const output = await KaitaiStructCompiler.compile("javascript", spec, importer, false);
  const className = Object.keys(output)
    .map((file) => file.replace(/\.js$/, ""))
    .find((key) => key.toLowerCase() === name.replaceAll("_", ""));
  const umd = output[`${className}.js`];
  if (umd === undefined) throw new Error(`${name}.ksy: the compiler gave ${Object.keys(output).join(", ")}`);
  const used = [...umd.matchAll(/require\('\.\/(\w+)'\)/g)].map((match) => match[1]?.toLowerCase());
  const imports = used.map((key) => {
    const found = [...specs.keys()].find((other) => other.replaceAll("_", "") === key);
    if (found === undefined) throw new Error(`${name}.ksy: there is no layout for ./${key}`);
    return found;
  });
  files.set(`${name}.js`, toModule(name, umd, imports));
  files.set(`${name}.d.ts`, renderDeclarations(name, spec));
}

mkdirSync(target, { recursive: true });
for (const file of readdirSync(target)) if (!files.has(file)) rmSync(join(target, file), { recursive: true });
for (const [file, text] of files) {
  const path = join(target, file);
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}
