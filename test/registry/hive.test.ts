import { describe, expect, it } from "vitest";
import { dwordValue, hiveBytes, textValue } from "../../samples/writer/hive.mjs";
import type { HiveKey } from "../../src/registry/hive.ts";
import { open, systemHive } from "../fixtures/hives.ts";

const names = (key: HiveKey | undefined) => [...(key?.subkeys() ?? [])].map(({ name }) => name);

describe("a hive that hivexsh filled", () => {
  // hivexsh -w -f system.hivexsh system.hive; then hivexml system.hive, without its times and byte runs:
  //   <node name="ControlSet002"><node name="Control"></node><node name="Services">
  //   <node name=".NETFramework"><node name="Performance"></node></node>
  //   <node name="ABCMiniFilter">…</node>
  //   <node name="ctstor">
  //     <value type="int32" key="Type" value="1"></value>
  //     <value type="int32" key="Start" value="0"></value>
  //     <value type="int32" key="ErrorControl" value="1"></value>
  //     <value type="int32" key="Tag" value="33"></value>
  //     <value type="expand" key="ImagePath" value="system32\DRIVERS\ctstor.sys"></value>
  //     <value type="string" key="DisplayName" value="@oem4.inf,%ctstor.SvcDesc%;Contoso Storage Cache"></value>
  //     <value type="string" key="Group" value="SCSI miniport"></value>
  //     <node name="Parameters"></node></node>
  //   <node name="fabusb">…</node><node name="FabUsbLegacy">…</node><node name="oddities">
  //     <value type="binary" encoding="base64" key="Tag" value="AQIDBA=="></value></node>
  //   <node name="Spooler">…</node></node></node><node name="Select">…</node></node></hive>
  const hive = open(systemHive());
  const services = hive.root.subkey("controlset002")?.subkey("SERVICES");

  it("has the keys that hivexml lists", () => {
    expect(hive).toMatchObject({ name: "SYSTEM", version: "1.5" });
    expect(names(hive.root)).toEqual(["ControlSet001", "ControlSet002", "Select"]);
    expect(names(services)).toEqual([
      ".NETFramework",
      "ABCMiniFilter",
      "ctstor",
      "fabusb",
      "FabUsbLegacy",
      "oddities",
      "Spooler",
    ]);
    expect(names(services?.subkey("ctstor"))).toEqual(["Parameters"]);
    expect(services?.subkey("nosuch")).toBeUndefined();
  });

  it("has the values that hivexml lists, with type and data", () => {
    const ctstor = services?.subkey("CTSTOR");
    expect(
      [...ctstor!.values()].map((value) => [value.name, value.type, value.u32() ?? value.text(0x100)]),
    ).toEqual([
      ["Type", 4, 1],
      ["Start", 4, 0],
      ["ErrorControl", 4, 1],
      ["Tag", 4, 33],
      ["ImagePath", 2, "system32\\DRIVERS\\ctstor.sys"],
      ["DisplayName", 1, "@oem4.inf,%ctstor.SvcDesc%;Contoso Storage Cache"],
      ["Group", 1, "SCSI miniport"],
    ]);
    const tag = services?.subkey("oddities")?.value("tag");
    expect({
      type: tag?.type,
      bytes: [...tag!.bytes(0x10_0000)],
      u32: tag?.u32(),
      text: tag?.text(0x100),
    }).toEqual({
      type: 3,
      bytes: [1, 2, 3, 4],
      u32: undefined,
      text: undefined,
    });
  });

  it("has nothing to note", () => {
    expect(hive.notes).toEqual([]);
  });
});

describe("a hive by the samples' writer", () => {
  // hivexml reads the same tree from what it writes with lf, lh and li, in lists of lists of 7, with 40,000 bytes in
  // one value and names in UTF-16
  const big = Uint8Array.from({ length: 40_000 }, (_, i) => i);
  const tree = {
    name: "ROOT",
    values: [
      textValue("", "default"),
      textValue("Größe", "x"),
      textValue("磁盘", "y"),
      { name: "big", type: 3, data: big },
      { name: "edge", type: 3, data: big.subarray(0, 16_344) },
      { name: "none", type: 3, data: new Uint8Array(0) },
      { name: "odd", type: 4, data: Uint8Array.of(1, 2) },
    ],
    keys: [
      ...Array.from({ length: 30 }, (_, i) => ({ name: `key${String(i).padStart(2, "0")}` })),
      { name: "Контосо" },
    ],
  };

  it.each(["lf", "lh", "li"] as const)("gives all keys through a list of lists of the kind %s", (list) => {
    const { root } = open(hiveBytes(tree, { list, perList: 7 }));
    expect(names(root)).toEqual(tree.keys.map(({ name }) => name));
    expect(root.subkey("контосо")?.name).toBe("Контосо");
  });

  it.each([3, 4, 5, 6])("of version 1.%i gives large data whole", (minor) => {
    const { root } = open(hiveBytes(tree, { minor }));
    // a matcher that walks arrays takes a second for these
    expect(Buffer.from(big).equals(root.value("big")!.bytes(0x10_0000))).toBe(true);
    expect(Buffer.from(big.subarray(0, 16_344)).equals(root.value("edge")!.bytes(0x10_0000))).toBe(true);
  });

  it("gives names in UTF-16 and Latin-1, the default value, and data of no and few bytes", () => {
    const { root } = open(hiveBytes(tree));
    expect(root.value("größe")?.text(0x100)).toBe("x");
    expect(root.value("磁盘")?.text(0x100)).toBe("y");
    expect(root.value("")?.text(0x100)).toBe("default");
    expect(root.value("none")?.bytes(0x10_0000)).toEqual(new Uint8Array(0));
    expect(root.value("odd")?.u32()).toBeUndefined();
    expect([...root.value("odd")!.bytes(0x10_0000)]).toEqual([1, 2]);
  });

  it("refuses data that is larger than wanted before it reads any", () => {
    expect(() => open(hiveBytes(tree)).root.value("big")?.bytes(100)).toThrow(
      expect.objectContaining({ expected: "at most 100", found: "40000" }),
    );
  });

  it("says that newer data stands in the log files where the sequence numbers differ", () => {
    expect(open(hiveBytes(tree, { sequences: [7, 6] })).notes).toEqual([
      expect.stringContaining("its log files (.LOG1, .LOG2) hold newer data, which is not read"),
    ]);
  });

  it("says that the file was cut off, and still gives what is there", () => {
    const keys = [{ name: "child", values: [{ name: "big", type: 3, data: big }] }];
    const bytes = hiveBytes({ name: "ROOT", values: [textValue("", "default")], keys });
    const hive = open(bytes.subarray(0, 0x2000));
    expect(hive.notes).toEqual([
      `the file ends early, at 0x2000 of 0x${bytes.length.toString(16)}: copy the hive again`,
    ]);
    expect(hive.root.value("")?.text(0x100)).toBe("default");
    expect(() => names(hive.root)).toThrow(
      expect.objectContaining({ file: "SYSTEM", found: "the end of the bins at 0x2000" }),
    );
  });

  it("says that its header's checksum is wrong", () => {
    const bytes = hiveBytes({ name: "ROOT", values: [dwordValue("x", 1)] });
    bytes[0x30] = 0x41;
    expect(open(bytes).notes).toEqual(["the checksum in the hive's header is wrong"]);
  });
});
