// @ts-check
/**
 * Builds the sample images from their sources: `node samples/images/build.mjs [name…]`.
 * Needs Debian's gcc-mingw-w64-x86-64, gcc-mingw-w64-i686 and binutils-mingw-w64. The results are committed, so that
 * nobody needs them to run the tests.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { debugRecord, finish } from "./finish.mjs";
import { compile, importObject, link, versionResource } from "./toolchain.mjs";
import { truthOf, usesIn } from "./truth.mjs";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
/** @typedef {import("./toolchain.mjs").Arch} Arch */
/**
 * @typedef {{ name: string, sources: (arch: Arch) => string[], company: string, description: string, version: string, pdb: string, libraries?: string[], def?: string,
 *   defines?: string[], kernel?: boolean, entry?: string, undefinedImports?: { name: string, bytes: number }[], microsoft?: boolean }} Image
 */

const driver = (
  /** @type {string} */ name,
  /** @type {string} */ company,
  /** @type {string} */ description,
  /** @type {Partial<Image>} */ more = {},
) =>
  /** @type {Image} */ ({
    name: `${name}.sys`,
    sources: () => [`drivers/${name}.c`],
    company,
    description,
    version: "4.2.1.0",
    pdb: `c:\\${company.split(/[ .,]/)[0]?.toLowerCase()}\\drivers\\${name}.pdb`,
    libraries: ["nt"],
    ...more,
  });
const MICROSOFT = { company: "Microsoft Corporation", version: "10.0.19041.1" };

/** @type {Image[]} */
export const IMAGES = [
  {
    ...MICROSOFT,
    name: "ntoskrnl.exe",
    sources: (arch) => [`nt/pool-${arch}.s`, "nt/ex.c", "nt/se.c", "nt/more.c", "nt/misc.c", "nt/data.c"],
    description: "NT Kernel & System",
    pdb: "ntkrnlmp.pdb",
    def: "nt/nt.def",
    defines: ["BUILD_NT"],
    kernel: true,
    entry: "KiSystemStartup",
  },
  {
    ...MICROSOFT,
    name: "hal.dll",
    sources: () => ["hal/hal.c"],
    description: "Hardware Abstraction Layer DLL",
    pdb: "hal.pdb",
    def: "hal/hal.def",
    defines: ["BUILD_HAL"],
    libraries: ["nt"],
  },
  {
    ...MICROSOFT,
    name: "fltmgr.sys",
    sources: () => ["fltmgr/fltmgr.c"],
    description: "Microsoft Filesystem Filter Manager",
    pdb: "fltMgr.pdb",
    def: "fltmgr/fltmgr.def",
    defines: ["BUILD_FLT"],
    libraries: ["nt"],
  },
  driver("ctstor", "Contoso Storage Ltd.", "Contoso storage accelerator", { libraries: ["nt", "hal"] }),
  driver("fabusb", "Fabrikam, Inc.", "Fabrikam USB bus driver", {
    undefinedImports: [{ name: "SeQueryInformationToken", bytes: 12 }],
  }),
  driver("nwindav", "Northwind Traders", "Northwind antivirus"),
  driver("tailspin", "Tailspin Toys", "Tailspin controller driver"),
  driver("litwflt", "Litware, Inc.", "Litware backup minifilter", { libraries: ["nt", "fltmgr"] }),
  driver("adatum", "A. Datum Corporation", "A. Datum packet capture", {
    pdb: "c:\\adatum\\capture\\adatum.pdb",
  }),
  driver("wwilib", "Wide World Importers", "Wide World support library", { def: "drivers/wwilib.def" }),
  driver("prosew", "Proseware, Inc.", "Proseware sensor driver", {
    sources: (arch) => ["drivers/prosew.c", `drivers/delay-${arch}.s`],
    libraries: ["nt", "hal"],
  }),
  { ...driver("msdisk", "", "Disk helper driver"), ...MICROSOFT, pdb: "msdisk.pdb" },
];

const DLLS = {
  nt: { dll: "ntoskrnl.exe", def: "nt/nt.def" },
  hal: { dll: "HAL.dll", def: "hal/hal.def" },
  fltmgr: { dll: "FLTMGR.SYS", def: "fltmgr/fltmgr.def" },
};

/** @param {Image} image @param {Arch} arch @param {string} work */
function build(image, arch, work) {
  const directory = join(work, arch, image.name);
  mkdirSync(directory, { recursive: true });
  const include = join(ROOT, "include");
  const sources = image.sources(arch).map((s) => join(ROOT, s));
  const objects = sources.map((source) =>
    compile({
      source,
      arch,
      work: directory,
      include,
      defines: image.defines ?? [],
      importOptimisation: arch === "x64",
    }),
  );
  const { name } = image;
  objects.push(
    versionResource({
      arch,
      work: directory,
      name,
      company: image.company,
      description: image.description,
      version: image.version,
    }),
  );
  objects.push(debugRecord({ arch, name, pdb: image.pdb, work: directory }));
  const imports = importObject({
    objects,
    arch,
    work: directory,
    dlls: (image.libraries ?? [])
      .map((l) => DLLS[/** @type {keyof typeof DLLS} */ (l)])
      .map(({ dll, def }) => ({ dll, def: join(ROOT, def) })),
    also: (image.undefinedImports ?? []).map((i) =>
      arch === "x64" ? `__imp_${i.name}` : `__imp__${i.name}@${i.bytes}`,
    ),
  });
  if (imports.object !== undefined) objects.push(imports.object);
  const { file } = link({
    objects,
    arch,
    work: directory,
    name,
    kernel: image.kernel ?? false,
    entry: image.entry ?? "DriverEntry",
    dll: image.def !== undefined,
    ...(image.def === undefined ? {} : { def: join(ROOT, image.def) }),
    ...(image.kernel ? { textRva: 0x10000 } : {}),
  });
  const dlls = new Map([
    ...imports.dlls,
    ...["WwiAllocate", "WwiFree"].map(
      (n) => /** @type {const} */ ([n, { dll: "WWILIB.SYS", ordinal: undefined }]),
    ),
  ]);
  const truth = truthOf({ arch, file, name, uses: usesIn(sources), compiler: "gcc", flags: ["-O2"], dlls });
  const result = finish({ arch, linked: file, output: join(ROOT, arch, name), name });
  writeFileSync(
    join(ROOT, "truth", `${name}.${arch}.json`),
    truthJson({
      ...truth,
      timestamp: `0x${result.timestamp.toString(16)}`,
      checksum: `0x${result.checksum.toString(16)}`,
    }),
  );
  return `${arch} ${name}: ${result.size} bytes, ${truth.functions.length} functions, ${truth.calls.length} calls, ${truth.importCalls.length} import calls, ${truth.tags.length} tag references`;
}

/** One line an item, so that a change shows as one. @param {Record<string, unknown>} truth */
export function truthJson(truth) {
  const lines = Object.entries(truth).map(([key, value]) => {
    if (!Array.isArray(value)) return `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    return `  ${JSON.stringify(key)}: [${value.map((v) => `\n    ${JSON.stringify(v)}`).join(",")}${value.length > 0 ? "\n  " : ""}]`;
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2);
  const work = mkdtempSync(join(tmpdir(), "images-"));
  for (const arch of /** @type {const} */ (["x64", "x86"])) {
    for (const d of [arch, "truth"]) mkdirSync(join(ROOT, d), { recursive: true });
    for (const image of IMAGES)
      if (wanted.length === 0 || wanted.includes(image.name)) console.log(build(image, arch, work));
  }
  rmSync(work, { recursive: true });
}
