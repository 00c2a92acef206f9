/** @typedef {import("./toolchain.mjs").Arch} Arch */
/**
 * @typedef {{ name: string, sources: (arch: Arch) => string[], company: string, description: string, version: string, pdb: string, libraries?: string[], def?: string,
 *   defines?: string[], kernel?: boolean, entry?: string, undefinedImports?: { name: string, bytes: number }[], uses?: string }} Image uses: a list of tag uses for several drivers, each line begins with the one it is of
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
/** A driver of the leak benchmark, from drivers/bench.c. */
const bench = (
  /** @type {string} */ name,
  /** @type {string} */ company,
  /** @type {string} */ description,
  /** @type {Partial<Image>} */ more = {},
) =>
  driver(name, company, description, {
    sources: () => ["drivers/bench.c"],
    defines: [`BENCH_${name.toUpperCase()}`],
    uses: "drivers/bench-uses.txt",
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
  bench("advworks", "Adventure Works", "Adventure Works telemetry"),
  bench("coho", "Coho Winery", "Coho share agent"),
  bench("wingtip", "Wingtip Toys", "Wingtip access control"),
  bench("lucerne", "Lucerne Publishing", "Lucerne rights minifilter", { libraries: ["nt", "fltmgr"] }),
  bench("margies", "Margie's Travel", "Margie process monitor"),
  bench("humong", "Humongous Insurance", "Humongous endpoint sensor"),
  bench("fourthc", "Fourth Coffee", "Fourth Coffee device driver", { libraries: ["nt", "wwilib"] }),
  bench("graphic", "Graphic Design Institute", "Graphic tablet driver"),
  { ...bench("storahx", "", "Storage helper"), ...MICROSOFT, pdb: "storahx.pdb" },
  bench("southr", "Southridge Video", "Southridge capture driver"),
  bench("citypw", "City Power & Light", "City Power meter driver"),
  bench("treyres", "Trey Research", "Trey instrument driver"),
  bench("vanars", "VanArsdel, Ltd.", "VanArsdel printer port", {
    undefinedImports: [
      { name: "SeQueryInformationToken", bytes: 12 },
      { name: "SeCaptureSecurityDescriptor", bytes: 20 },
      { name: "PsLookupProcessByProcessId", bytes: 8 },
      { name: "IoAllocateIrp", bytes: 8 },
    ],
  }),
  bench("blueyon", "Blue Yonder Airlines", "Blue Yonder network driver"),
  bench("schoolf", "School of Fine Art", "Fine Art scanner driver"),
  bench("lamna", "Lamna Healthcare", "Lamna record locker"),
  bench("consol", "Consolidated Messenger", "Consolidated Messenger transport"),
  bench("alpine", "Alpine Ski House", "Alpine lift controller"),
  bench("woodgr", "Woodgrove Bank", "Woodgrove card reader"),
  bench("relecl", "Relecloud", "Relecloud sync driver", { libraries: ["nt", "wwilib"] }),
  bench("bestfor", "Best For You Organics Company", "Best For You scale driver", {
    libraries: ["nt", "wwilib"],
  }),
  bench("liberty", "Liberty's Delightful Sinful Bakery", "Liberty oven bus driver"),
];

/** The DLLs that images import from, with what they export. */
export const DLLS = {
  nt: { dll: "ntoskrnl.exe", def: "nt/nt.def" },
  hal: { dll: "HAL.dll", def: "hal/hal.def" },
  fltmgr: { dll: "FLTMGR.SYS", def: "fltmgr/fltmgr.def" },
  wwilib: { dll: "WWILIB.SYS", def: "drivers/wwilib.def" },
};
