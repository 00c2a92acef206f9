import { PAGE_SIZE } from "../core/address.ts";
import { isSomethingElse } from "./foreign.ts";
import type { DumpFormat } from "./format.ts";
import { identityMap } from "./run-map.ts";

/** Smaller than the least machine: no memory, whatever is in it. */
const LEAST = 0x10_0000;

/**
 * Physical memory as it is, with nothing around it: what winpmem, DumpIt, FTK Imager or QEMU's `pmemsave` write. Nothing
 * tells such a file; whoever opens it has to find a Windows kernel in it.
 */
export const rawMemory: DumpFormat = {
  recognise: ({ array }, size) => size >= LEAST && !isSomethingElse(array),
  open({ main }) {
    const pages = identityMap(main.size);
    const rest = main.size % PAGE_SIZE;
    const cut =
      rest === 0 ? [] : [`the last ${rest} bytes of the file are no whole page: it may have been cut off`];
    return {
      source: main,
      kind: "raw",
      memory: { source: main, pages },
      flat: true,
      facts: { source: "file", roots: [], contexts: [] },
      writer: undefined,
      header: undefined,
      notes: cut,
    };
  },
};
