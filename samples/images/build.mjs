/**
 * Builds the sample images from their sources: `node samples/images/build.mjs [name…]`, and with `--accuracy` the
 * variants by other compilers and settings.
 * Needs Debian's gcc-mingw-w64-x86-64, gcc-mingw-w64-i686 and binutils-mingw-w64. The results are committed, so that
 * nobody needs them to run the tests.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { debugRecord, finish } from "./finish.mjs";
import { DLLS, IMAGES } from "./images.mjs";
import { compile, importObject, link, NO_INLINE, versionResource } from "./toolchain.mjs";
import { truthOf, usesIn } from "./truth.mjs";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
/**
 * @typedef {import("./images.mjs").Image} Image
 * @typedef {import("./toolchain.mjs").Arch} Arch
 * @typedef {{ name: string, compiler: "gcc" | "clang", flags: readonly string[], scattered?: boolean }} Variant
 */

/** What the accuracy figures are measured on: the same sources by other compilers and settings. @type {readonly Variant[]} */
const VARIANTS = [
  ...["-O0", "-O2", "-Os"].flatMap(
    (o) =>
      /** @type {Variant[]} */ ([
        { name: `gcc${o}`, compiler: "gcc", flags: [o, ...NO_INLINE] },
        { name: `clang${o}`, compiler: "clang", flags: [o, "-fno-inline"] },
      ]),
  ),
  {
    name: "gcc-O2-scattered",
    compiler: "gcc",
    flags: ["-O2", ...NO_INLINE, "-fno-reorder-blocks-and-partition"],
    scattered: true,
  },
];
const MEASURED = ["ntoskrnl.exe", "fltmgr.sys", "nwindav.sys", "litwflt.sys", "adatum.sys", "msdisk.sys"];

/**
 * @param {{ image: Image, arch: Arch, work: string, variant?: Variant }} options
 * @returns one line on what was built
 */
function build({ image, arch, work, variant }) {
  const directory = join(work, arch, image.name, variant?.name ?? "");
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
      ...(variant === undefined ? {} : variant),
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
    ...["WwiAllocate", "WwiFree", "WwiDefault"].map(
      (n) => /** @type {const} */ ([n, { dll: "WWILIB.SYS", ordinal: undefined }]),
    ),
  ]);
  const uses =
    image.uses === undefined ? usesIn(sources) : usesIn([join(ROOT, image.uses)], name.replace(/\.\w+$/, ""));
  const { compiler, flags } = variant ?? { compiler: "gcc", flags: ["-O2"] };
  const truth = truthOf({
    arch,
    file,
    name,
    uses,
    compiler,
    flags,
    dlls,
    lenient: variant !== undefined,
  });
  const place = variant === undefined ? join(ROOT, arch) : join(ROOT, "accuracy", `${arch}-${variant.name}`);
  mkdirSync(place, { recursive: true });
  const result = finish({ arch, linked: file, output: join(place, name), name });
  const stamps = {
    timestamp: `0x${result.timestamp.toString(16)}`,
    checksum: `0x${result.checksum.toString(16)}`,
  };
  if (variant === undefined)
    writeFileSync(join(ROOT, "truth", `${name}.${arch}.json`), truthJson({ ...truth, ...stamps }));
  else {
    const { exports: _, variables: __, ...measured } = truth;
    writeFileSync(join(place, `${name}.json`), truthJson({ ...measured, ...stamps }));
  }
  return `${arch} ${variant?.name ?? ""} ${name}: ${result.size} bytes, ${truth.functions.length} functions, ${truth.calls.length} calls, ${truth.importCalls.length} import calls, ${truth.tags.length} tag references, ${truth.tags.filter((t) => t.use === "unknown").length} of unknown use`;
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
  const wanted = process.argv.slice(2).filter((a) => a !== "--accuracy");
  const work = mkdtempSync(join(tmpdir(), "images-"));
  mkdirSync(join(ROOT, "truth"), { recursive: true });
  const images = IMAGES.filter((i) => wanted.length === 0 || wanted.includes(i.name));
  for (const arch of /** @type {const} */ (["x64", "x86"])) {
    if (!process.argv.includes("--accuracy"))
      for (const image of images) console.log(build({ image, arch, work }));
    else
      for (const variant of VARIANTS)
        for (const image of images.filter((i) => MEASURED.includes(i.name)))
          console.log(build({ image, arch, work, variant }));
  }
  rmSync(work, { recursive: true });
}
