// Assembles wasm/tag-scan.wat into src/pool/tag-scan-wasm.js, whose declarations stand beside it.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const source = new URL("tag-scan.wat", import.meta.url);
const target = fileURLToPath(new URL("../src/pool/tag-scan-wasm.js", import.meta.url));

const { parseWat } = await wabt();
const module = parseWat("tag-scan.wat", readFileSync(source, "utf8"), { simd: true });
module.validate();
const base64 = Buffer.from(module.toBinary({}).buffer).toString("base64");
module.destroy();
const text = `export const TAG_SCAN_WASM = "${base64}";\n`;
if (!existsSync(target) || readFileSync(target, "utf8") !== text) writeFileSync(target, text);
