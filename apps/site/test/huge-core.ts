import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { CONTAINERS, containerMachine } from "../../../bench/containers.mjs";

const GB = 2 ** 30;
const PT_LOAD = 1;

/** Writes an ELF core of 30 GB, of which nearly all is a hole: its memory begins at the 29th gigabyte. */
export function hugeCore(path: string): void {
  const files = CONTAINERS["ELF core"]?.(containerMachine("x64")) ?? {};
  const core = Buffer.from(files["guest.elf"] ?? []);
  // ELF-64: where the program headers stand, how many, and of each where its bytes do
  const headersAt = Number(core.readBigUInt64LE(0x20));
  const count = core.readUInt16LE(0x38);
  const starts: number[] = [];
  for (let at = headersAt; at < headersAt + count * 0x38; at += 0x38) {
    // memory of a device can be without bytes
    if (core.readUInt32LE(at) !== PT_LOAD || core.readBigUInt64LE(at + 0x20) === 0n) continue;
    const start = core.readBigUInt64LE(at + 8);
    starts.push(Number(start));
    core.writeBigUInt64LE(start + BigInt(29 * GB), at + 8);
  }
  const first = Math.min(...starts);
  const file = openSync(path, "w");
  writeSync(file, core, 0, first, 0);
  writeSync(file, core, first, core.length - first, 29 * GB + first);
  ftruncateSync(file, 30 * GB);
  closeSync(file);
}
