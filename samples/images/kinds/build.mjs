/**
 * Builds the kernel, the libraries and the drivers of the kinds: `node samples/images/kinds/build.mjs`. It needs
 * Debian's gcc-mingw-w64-x86-64 and gcc-mingw-w64-i686; the results are committed.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { debugRecord, finish } from "../finish.mjs";
import { compile, importObject, link, NO_INLINE, versionResource } from "../toolchain.mjs";

/** @typedef {import("../toolchain.mjs").Arch} Arch */
/** @typedef {{ name: string, source: string, defines: string[], company: string, libraries: readonly string[], def?: string, kernel?: boolean }} Built */

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const INCLUDE = join(ROOT, "../include");
const DLLS = {
  nt: { dll: "ntoskrnl.exe", def: join(ROOT, "kernel.def") },
  inner: { dll: "INNER.SYS", def: join(ROOT, "inner.def") },
  outer: { dll: "OUTER.SYS", def: join(ROOT, "outer.def") },
  owner: { dll: "OWNER.SYS", def: join(ROOT, "owner.def") },
  framework: { dll: "WDFLDR.SYS", def: join(ROOT, "framework.def") },
  filters: { dll: "FLTMGR.SYS", def: join(ROOT, "filters.def") },
};
const COMPANIES = ["Fabrikam, Inc.", "Northwind Traders", "Contoso Ltd.", "Litware, Inc.", "Tailspin Toys"];

const drivers = [...new Set(readFileSync(join(ROOT, "drivers.c"), "utf8").match(/(?<=\bKIND_)[A-Z]+\b/g))];

/** @type {Built[]} */
const IMAGES = [
  {
    name: "ntoskrnl.exe",
    source: "kernel.c",
    defines: ["BUILD_NT"],
    company: "Microsoft Corporation",
    libraries: [],
    def: "kernel.def",
    kernel: true,
  },
  {
    name: "inner.sys",
    source: "inner.c",
    defines: ["BUILD_INNER"],
    company: "Microsoft Corporation",
    libraries: ["nt"],
    def: "inner.def",
  },
  {
    name: "outer.sys",
    source: "outer.c",
    defines: ["BUILD_OUTER"],
    company: "Microsoft Corporation",
    libraries: ["nt", "inner"],
    def: "outer.def",
  },
  {
    name: "owner.sys",
    source: "owner.c",
    defines: ["BUILD_OWNER"],
    company: "Contoso Ltd.",
    libraries: ["nt"],
    def: "owner.def",
  },
  ...drivers.map((kind, i) => ({
    name: `${kind.toLowerCase()}.sys`,
    source: "drivers.c",
    defines: [`KIND_${kind}`],
    company: COMPANIES[i % COMPANIES.length] ?? "",
    libraries: ["nt", "inner", "outer", "owner", "framework", "filters"],
  })),
];

/** @param {Built} image @param {Arch} arch @param {string} work */
function build({ name, source, defines, company, libraries, def, kernel = false }, arch, work) {
  const directory = join(work, arch, name);
  mkdirSync(directory, { recursive: true });
  const objects = [
    compile({
      source: join(ROOT, source),
      arch,
      work: directory,
      include: INCLUDE,
      defines,
      importOptimisation: arch === "x64",
      compiler: "gcc",
      flags: ["-O2", ...NO_INLINE],
    }),
    versionResource({ arch, work: directory, name, company, description: name, version: "4.2.1.0" }),
    debugRecord({ arch, name, pdb: name.replace(/\.\w+$/, ".pdb"), work: directory }),
  ];
  const imports = importObject({
    objects,
    arch,
    work: directory,
    dlls: libraries.map((library) => DLLS[/** @type {keyof typeof DLLS} */ (library)]),
  });
  if (imports.object !== undefined) objects.push(imports.object);
  const { file } = link({
    objects,
    arch,
    work: directory,
    name,
    kernel,
    entry: kernel ? "KiSystemStartup" : "DriverEntry",
    dll: def !== undefined,
    ...(def === undefined ? {} : { def: join(ROOT, def) }),
    ...(kernel ? { textRva: 0x10000 } : {}),
  });
  mkdirSync(join(ROOT, arch), { recursive: true });
  finish({ arch, linked: file, output: join(ROOT, arch, name), name });
}

const work = mkdtempSync(join(tmpdir(), "kinds-"));
for (const arch of /** @type {const} */ (["x64", "x86"])) {
  for (const image of IMAGES) build(image, arch, work);
  console.log(`${arch}: ${IMAGES.length} images`);
}
rmSync(work, { recursive: true });
