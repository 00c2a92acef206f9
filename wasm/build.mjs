// Assembles each wasm/NAME.wat into a module of src that holds it in base64, whose declarations stand beside it.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const MODULES = [
  { name: "tag-scan", target: "pool/tag-scan-wasm.js", constant: "TAG_SCAN_WASM" },
  { name: "root-scan", target: "memory/root-scan-wasm.js", constant: "ROOT_SCAN_WASM" },
];

const { parseWat } = await wabt();
for (const { name, target: path, constant } of MODULES) {
  const target = fileURLToPath(new URL(`../src/${path}`, import.meta.url));
  const source = readFileSync(new URL(`${name}.wat`, import.meta.url), "utf8");
  const module = parseWat(`${name}.wat`, source, { simd: true });
  module.validate();
  const base64 = Buffer.from(module.toBinary({}).buffer).toString("base64");
  module.destroy();
  const text = `export const ${constant} = "${base64}";\n`;
  if (!existsSync(target) || readFileSync(target, "utf8") !== text) writeFileSync(target, text);
}
