/**
 * Linker scripts: sections as Microsoft's kernel images have them, with the import names in INIT (gone after boot),
 * the import address table in .rdata, and the compilers' cold parts at the far end of .text.
 */

const INPUT = {
  text: "*(.text) *(SORT(.text$*)) *(.text.hot*) *(.text.startup*)",
  cold: "*(.text.unlikely) *(SORT(.text.unlikely*)) *(SORT(.text.cold*))",
  rdata: "*(.rdata) *(SORT(.rdata$*)) *(.rodata*)",
  data: "*(.data) *(SORT(.data$*))",
};

/** @type {Record<string, string>} section name to its body; symbols that start with __ are read by the build */
const SECTION = {
  ".text": `${INPUT.text} . = ALIGN(16); ${INPUT.cold}`,
  ".rdata": `${INPUT.rdata} . = ALIGN(16); __debug_start = .; KEEP(*(.debugdir)) __debug_end = .;
    . = ALIGN(16); __iat_start = .; KEEP(*(.idata$5)) __iat_end = .;`,
  ".xdata": "*(.xdata) *(SORT(.xdata*))",
  ".data": INPUT.data,
  ".bss": "*(.bss) *(COMMON)",
  ".pdata": "KEEP(*(.pdata)) *(SORT(.pdata*))",
  ".edata": "*(.edata)",
  PAGE: "*(PAGE) *(SORT(PAGE$*))",
  INIT: `*(INIT) . = ALIGN(16); __import_start = .; KEEP(*(.idata$2))
    LONG(0); LONG(0); LONG(0); LONG(0); LONG(0); __import_end = .;
    . = ALIGN(8); KEEP(*(.idata$4)) KEEP(*(.idata$6)) KEEP(*(.idata$7))`,
  ".rsrc": "KEEP(*(.rsrc)) KEEP(*(SORT(.rsrc$*)))",
  ".reloc": "*(.reloc)",
};

const DRIVER = [
  ".text",
  ".rdata",
  ".xdata",
  ".data",
  ".bss",
  ".pdata",
  ".edata",
  "PAGE",
  "INIT",
  ".rsrc",
  ".reloc",
];
/** The kernel's .text comes after all but .reloc, which the linker wants last: a large page can lie over the two. */
const KERNEL = [
  ".rdata",
  ".xdata",
  ".pdata",
  ".edata",
  ".data",
  ".bss",
  "PAGE",
  "INIT",
  ".rsrc",
  ".text",
  ".reloc",
];

/**
 * @param {{ machine: "x64" | "x86", kernel?: boolean, textRva?: number | undefined }} options textRva: where a kernel's .text starts
 * @returns {string} a script for GNU ld
 */
export function linkerScript({ machine, kernel = false, textRva }) {
  const order = (kernel ? KERNEL : DRIVER).filter(
    (name) => machine === "x64" || (name !== ".pdata" && name !== ".xdata"),
  );
  const body = order.map((name, i) => {
    const at =
      name === ".text" && textRva !== undefined
        ? `__image_base__ + ${textRva}`
        : i === 0
          ? "__image_base__ + __section_alignment__"
          : "BLOCK(__section_alignment__)";
    return `  ${name} ${at} : { ${SECTION[name]} } = 0xcccccccc`;
  });
  return `SECTIONS
{
  . = SIZEOF_HEADERS;
${body.join("\n")}
  /DISCARD/ : { *(.comment) *(.drectve) *(.eh_frame) *(.note*) *(.ident) *(.debug*) *(.llvm*) *(.addrsig) }
}
`;
}
