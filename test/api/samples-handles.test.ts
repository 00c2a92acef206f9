import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openDump } from "../../src/index.ts";

const sample = (name: string): string => fileURLToPath(new URL(`../../samples/${name}`, import.meta.url));

it("reads the processes of leak-x64.dmp, and what their handles lead to", () => {
  // what the sample's writer gave them
  const golden = JSON.parse(readFileSync(sample("leak-x64.json"), "utf8"));
  using dump = openDump(sample("leak-x64.dmp"));
  const found = dump
    .processes()
    .processes.map(({ pid, parent, name, threads, handles }) => ({ pid, parent, name, threads, handles }));
  expect(found).toEqual(golden.processes);
  const { totals, processes } = dump.handles();
  expect(Object.fromEntries(totals.map(({ type, handles }) => [type, handles]))).toEqual(golden.handles);
  expect(totals.every(({ handles, objects }) => handles === objects)).toBe(true);
  expect(processes[0]).toMatchObject({ name: "sqlservr.exe", handles: 624 });
});

it("reads those of article-2003.dmp, of Windows Server 2003", () => {
  using dump = openDump(sample("article-2003.dmp"));
  const found = dump
    .processes()
    .processes.map(({ pid, parent, name, handles }) => [pid, parent, name, handles]);
  // article-2003.mjs
  expect(found).toEqual([
    [4, 0, "System", 24],
    [388, 4, "smss.exe", 24],
    [436, 388, "csrss.exe", 24],
    [460, 388, "winlogon.exe", 24],
    [508, 460, "services.exe", 24],
    [520, 460, "lsass.exe", 24],
    [712, 508, "svchost.exe", 24],
    [2316, 712, "w3wp.exe", 24],
  ]);
  expect(dump.handles().totals.map(({ type, tag, handles }) => [type, tag, handles])).toEqual([
    ["Event", "Even", 96],
    ["Key", "Key ", 40],
    ["File", "File", 32],
    ["Section", "Sect", 24],
  ]);
});
