import { describe, expect, it } from "vitest";
import { dwordValue, hiveBytes, textValue } from "../../samples/writer/hive.mjs";
import { readServices, type Service, serviceOf } from "../../src/registry/services.ts";
import { open, systemHive, systemTree } from "../fixtures/hives.ts";

describe("readServices", () => {
  // the values as hivexml shows them stand in hive.test.ts; the rest of the hive is test/fixtures/hive/system.hivexsh
  const { items, controlSet, notes } = readServices(open(systemHive()));
  const named = (name: string) => items.find((service) => service.name === name);

  it("reads the control set that Select\\Current tells", () => {
    // hivexget system.hive Select Current
    //   dword:2
    // hivexget system.hive 'ControlSet001\Services\ctstor' Start
    //   dword:4
    expect(controlSet).toBe("ControlSet002");
    expect(named("ctstor")).toEqual({
      name: "ctstor",
      start: "boot",
      type: "kernel-driver",
      group: "SCSI miniport",
      description: null,
      displayName: "Contoso Storage Cache",
      imagePath: "system32\\DRIVERS\\ctstor.sys",
      tag: 33,
    });
  });

  it("tells start types and kinds of services apart, and leaves out what is no service", () => {
    expect(items.map(({ name, start, type }) => [name, start, type])).toEqual([
      ["ABCMiniFilter", "system", "file-system-driver"],
      ["ctstor", "boot", "kernel-driver"],
      ["fabusb", "manual", "kernel-driver"],
      ["FabUsbLegacy", "automatic", "kernel-driver"],
      ["oddities", null, null],
      ["Spooler", "automatic", "process"],
    ]);
  });

  it("gives null for a name that is only a reference, and for values of other types", () => {
    expect(named("ABCMiniFilter")).toMatchObject({ displayName: null, description: "Watches files for ABC" });
    expect(named("oddities")).toMatchObject({ tag: null, type: null, start: null });
    expect(named("fabusb")).toMatchObject({ imagePath: null, group: null, tag: null });
  });

  it("has nothing to note", () => {
    expect(notes).toEqual([]);
  });

  it.each([
    [0, "boot"],
    [1, "system"],
    [2, "automatic"],
    [3, "manual"],
    [4, "disabled"],
    [5, null],
    [0xffff_ffff, null],
  ])("takes Start %i for %s", (number, start) => {
    const services = [{ name: "x", values: [dwordValue("Start", number), dwordValue("Type", 1)] }];
    expect(readServices(open(hiveBytes(systemTree(services)))).items[0]?.start).toBe(start);
  });

  it.each([
    [1, "kernel-driver"],
    [2, "file-system-driver"],
    [4, "adapter"],
    [8, "file-system-recognizer"],
    [0x10, "process"],
    [0x20, "process"],
    [0x110, "process"],
    [0xe0, "process"],
    [0, null],
  ])("takes Type %i for %s", (number, type) => {
    const services = [{ name: "x", values: [dwordValue("Type", number)] }];
    expect(readServices(open(hiveBytes(systemTree(services)))).items[0]?.type).toBe(type);
  });

  it("notes a dirty hive", () => {
    const bytes = hiveBytes(systemTree([]), { sequences: [3, 2] });
    expect(readServices(open(bytes)).notes).toEqual([expect.stringContaining("newer data")]);
  });

  it("leaves a broken service out, says so, and keeps the others", () => {
    const services = ["good", "lost", "nice"].map((name) => ({ name, values: [dwordValue("Type", 1)] }));
    const bytes = hiveBytes(systemTree(services));
    bytes[Buffer.from(bytes).indexOf("lost") - 76] = 0;
    const found = readServices(open(bytes));
    expect(found.items.map(({ name }) => name)).toEqual(["good", "nice"]);
    expect(found.notes).toEqual([
      expect.stringMatching(/could not be read: 1; the first: SYSTEM\+0x\w+: key/),
    ]);
  });

  it("leaves a service out whose image cannot be told, since it is not the default one", () => {
    const values = [dwordValue("Type", 1), textValue("ImagePath", "\\??\\C:\\elsewhere\\x.sys")];
    const bytes = hiveBytes(systemTree([{ name: "lost", values }]));
    const value = Buffer.from(bytes).indexOf("ImagePath") - 0x14;
    new DataView(bytes.buffer).setUint32(value + 8, 0x7fff_fff8, true);
    const found = readServices(open(bytes));
    expect(found.items).toEqual([]);
    expect(found.notes).toEqual([expect.stringContaining("could not be read: 1")]);
  });

  it("leaves out a text that is longer than any, and says so (MAX_SERVICE_TEXT_BYTES)", () => {
    const groups = [2047, 2048].map((length) => textValue("Group", "g".repeat(length)));
    const services = groups.map((group, i) => ({ name: `x${i}`, values: [dwordValue("Type", 1), group] }));
    const found = readServices(open(hiveBytes(systemTree(services))));
    expect(found.items).toMatchObject([
      { name: "x0", type: "kernel-driver", group: "g".repeat(2047) },
      { name: "x1", type: "kernel-driver", group: null },
    ]);
    expect(found.notes).toEqual([expect.stringContaining("at most 4096, found 4098")]);
  });

  it("reads no more services than any machine has, and says so (MAX_SERVICES)", () => {
    const services = Array.from({ length: 8193 }, (_, i) => ({
      name: `s${i}`,
      values: [dwordValue("Type", 1)],
    }));
    const found = readServices(open(hiveBytes(systemTree(services))));
    expect(found.items).toHaveLength(8192);
    expect(found.notes).toEqual([
      "the hive's services are more, or have more values, than those of any machine: only 8192 were read",
    ]);
  });

  it("says that the list of services is shorter than it should be", () => {
    const services = ["a", "b"].map((name) => ({ name, values: [dwordValue("Type", 1)] }));
    const bytes = hiveBytes(systemTree(services));
    const key = Buffer.from(bytes).indexOf("Services") - 76;
    new DataView(bytes.buffer).setUint32(key + 20, 9, true);
    expect(readServices(open(bytes)).notes).toEqual([
      "the key of the services claims 9 of them, and its list has 2",
    ]);
  });

  it.each([
    [
      "no key Select",
      { name: "ROOT", keys: [{ name: "Classes" }, { name: "Microsoft" }] },
      "the keys Classes, Microsoft",
    ],
    ["no key at all", { name: "ROOT" }, "the keys of an empty hive"],
    ["no Current", { name: "ROOT", keys: [{ name: "Select" }] }, "none"],
    ["a Current of 0", systemTree([], 0), "0"],
    ["a Current of 1000", systemTree([], 1000), "1000"],
    [
      "no control set of that number",
      { name: "ROOT", keys: [{ name: "Select", values: [dwordValue("Current", 3)] }] },
      "no such key",
    ],
  ])("refuses a hive with %s", (_, tree, found) => {
    expect(() => readServices(open(hiveBytes(tree)))).toThrow(
      expect.objectContaining({
        file: "SYSTEM",
        field: "registry hive",
        found: expect.stringContaining(found),
      }),
    );
  });
});

describe("serviceOf", () => {
  const service = (name: string, values: Partial<Service> = {}): Service => ({
    name,
    start: "manual",
    type: "kernel-driver",
    group: null,
    description: null,
    displayName: null,
    imagePath: null,
    tag: null,
    ...values,
  });
  const names = (services: readonly Service[], imageName: string | null, path: string | null = null) =>
    serviceOf(services, { imageName, path }).map(({ name }) => name);

  it.each([
    "System32\\drivers\\Filter.sys",
    "\\SystemRoot\\System32\\drivers\\FILTER.SYS",
    "%SystemRoot%\\system32\\drivers\\filter.sys",
    "\\??\\C:\\Program Files\\Filter Maker\\filter.sys",
    '"\\??\\C:\\Program Files\\Filter Maker\\filter.sys"',
    "C:/Windows/System32/drivers/filter.sys",
    "filter.sys",
  ])("finds the service whose ImagePath is %s", (imagePath) => {
    const services = [service("other"), service("FltSvc", { imagePath })];
    expect(names(services, "Filter.sys", "\\SystemRoot\\system32\\drivers\\Filter.sys")).toEqual(["FltSvc"]);
  });

  it("takes the service's name for the image's where there is no ImagePath", () => {
    expect(names([service("NTFS"), service("ntfs2")], "ntfs.sys")).toEqual(["NTFS"]);
  });

  it("does not take the service's name where ImagePath says another", () => {
    expect(names([service("a", { imagePath: "drivers\\b.sys" })], "a.sys")).toEqual([]);
  });

  it("gives all services that share an image, the one that starts first standing first", () => {
    const imagePath = "drivers\\x.sys";
    const services = [
      service("never", { imagePath, start: "disabled" }),
      service("unknown", { imagePath, start: null }),
      service("late", { imagePath, start: "automatic" }),
      service("boot", { imagePath, start: "boot" }),
      service("x", { start: "system" }),
    ];
    expect(names(services, "X.SYS")).toEqual(["boot", "x", "late", "never", "unknown"]);
  });

  it("goes by the path where the module's name is not known", () => {
    expect(names([service("x")], null, "\\??\\C:\\odd\\x.sys")).toEqual(["x"]);
    expect(names([service("x")], null)).toEqual([]);
    expect(names([service("x")], "")).toEqual([]);
  });

  it("does not take a process for a driver", () => {
    expect(names([service("x", { type: "process", imagePath: "x.sys" })], "x.sys")).toEqual([]);
  });
});
