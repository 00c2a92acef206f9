import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import type { Dump } from "../src/api/dump.ts";
import { type ImageFolder, openFolder } from "../src/api/folder.ts";
import { openImageFile } from "../src/api/image-file.ts";
import { openDump } from "../src/api/open-dump.ts";
import { answerTo } from "../src/cli/answers.ts";
import { COMMANDS, SESSIONS } from "../src/cli/commands.ts";
import { renderJson } from "../src/report/json.ts";
import { realDump } from "./fixtures/real-dumps.ts";

const folder = new URL("../schema/", import.meta.url);
const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
const schemas = new Map<string, ValidateFunction>(
  readdirSync(folder).map((file) => [
    file.replace(/\.json$/, ""),
    ajv.compile(JSON.parse(readFileSync(new URL(file, folder), "utf8"))),
  ]),
);

/** What is wrong with a document, one line each. */
/** Of a list, those of each document. */
function faults(command: string, document: object): string[] {
  if (Array.isArray(document)) return document.flatMap((one) => faults(command, one));
  const validate = schemas.get(command);
  if (validate === undefined) throw new Error(`${command} has no schema`);
  if (validate(JSON.parse(renderJson(document)))) return [];
  return (validate.errors ?? [])
    .slice(0, 8)
    .map((error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
}

/** The commands that answer with a document, each with operands that make sense in that dump. */
function lines(tag: string, address: string, module: string): [string, ...string[]][] {
  return [
    ["info"],
    ["modules"],
    ["memory"],
    ["tags"],
    ["tags", tag],
    ["scan", tag],
    ["trace", tag],
    ["trace", tag, "Zz9!"],
    ["trace"],
    ["near", address, "1000"],
    ["pointers", address],
    ["pool", address],
    ["headers", module],
    ["imports", module],
    ["exports", module],
    ["functions", module],
    ["calls", module, address],
    ["code", address],
    ["processes"],
    ["handles"],
    ["handles", "4"],
    ["handles", tag],
    ["imports", address, "L4"],
    ["imports", "1000", "L4"],
    ["read", address, "0x40"],
    ["read", "1000"],
  ];
}

describe("the schemas", () => {
  it("are one for each command that answers with a document", () => {
    const commands = COMMANDS.map(({ name }) => name).filter((name) => !SESSIONS.includes(name));
    expect([...schemas.keys()].sort()).toEqual([...commands, "growth"].sort());
  });

  it("take no document of another version, with a field more or a field less", () => {
    const document = { symbols: [] };
    expect(faults("near", document)).toEqual([]);
    expect(faults("near", { ...document, more: 1 })).toHaveLength(1);
    expect(faults("near", {})).toHaveLength(1);
    expect(schemas.get("near")?.({ schemaVersion: 2, symbols: [] })).toBe(false);
  });

  it("take addresses in lower-case hex without padding only", () => {
    const target = (address: string) => ({ target: address, pointers: [], coverage: [], notes: [] });
    const wrong = (address: string): boolean =>
      schemas.get("pointers")?.({ schemaVersion: 1, ...target(address) }) === false;
    expect(["0x0", "0x8096c8cc", "0xfffff8047bc00ec0"].filter(wrong)).toEqual([]);
    expect(
      ["8096c8cc", "0x08096c8cc", "0x8096C8CC", "0x", "0x1fffff8047bc00ec0"].filter((a) => !wrong(a)),
    ).toEqual([]);
  });
});

const X64 = "fffff8047bc01172";
describe.each([
  ["article-2003.dmp", "samples/article-2003.dmp", lines("Se", "8096c909", "ABCMiniFilter")],
  ["leak-x64.dmp", "samples/leak-x64.dmp", lines("Se", X64, "prosew")],
  ["triage_x64.dmp", realDump("triage_x64.dmp"), lines("Se", "nt", "nt")],
  // of no module does it hold the headers
  [
    "triage_arm64.dmp",
    realDump("triage_arm64.dmp"),
    lines("Se", "nt", "").filter(([, module]) => module !== ""),
  ],
])("every answer from %s", (_, path, questions) => {
  let opened: Dump | undefined;
  it.skipIf(path === undefined).each(questions)("fits the schema: %s %s", (command, ...given) => {
    opened ??= openDump(path ?? "");
    const operands = given.filter((word) => word !== undefined);
    expect(faults(command, answerTo(opened, command, operands).document)).toEqual([]);
  });
});

describe("tags --since", () => {
  it("fits the schema of growth", () => {
    using dump = openDump("samples/leak-x64.dmp");
    // two machines: every tag differs
    const { document } = answerTo(dump, "tags", [], { since: "samples/article-2003.dmp", force: true });
    expect(faults("growth", document)).toEqual([]);
    expect(
      answerTo(dump, "tags", ["Se"], { since: "samples/article-2003.dmp", force: true }).document,
    ).toMatchObject({
      tags: [{ tag: "Se  ", paged: { bytes: 39_699_456 - 232_720_312 } }],
    });
  });
});

describe("every answer from PE files", () => {
  let opened: ImageFolder | undefined;
  it.each(
    lines("Se", "nt!SeQueryInformationToken", "ctstor").filter(([name, first]) =>
      first === undefined ? name === "modules" : !["tags", "pool", "handles"].includes(name),
    ),
  )("in a folder fits the schema: %s %s", (command, ...operands) => {
    opened ??= openFolder("samples/images/x64");
    expect(faults(command, answerTo(opened, command, operands).document)).toEqual([]);
  });

  it.each([
    ["headers"],
    ["imports"],
    ["exports"],
    ["functions"],
    ["calls", "FltQuerySecurityObject"],
    ["code", "FltQuerySecurityObject+4"],
  ])("of one file fits the schema: %s", (command, ...operands) => {
    using file = openImageFile("samples/images/x64/fltmgr.sys");
    expect(faults(command, answerTo(file, command, operands).document)).toEqual([]);
  });
});
