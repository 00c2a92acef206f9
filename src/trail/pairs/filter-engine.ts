import type { Acquirer } from "./pair.ts";
import { by, byAddress, group, out, type Row } from "./rows.ts";

const KINDS = ["Callout", "Filter", "Layer", "Provider", "ProviderContext", "SubLayer"] as const;
const HEADER = "fwpmu.h";

/** FwpmXxxGetByYyy0(engine, which one, the object). */
const get = (name: string): Row => [name, 3, out(3), HEADER];

/**
 * What the filtering engine's management functions give: objects and arrays of them, all freed by one function
 * that takes the variable's address, and enumerations.
 */
export const FILTER_ENGINE: readonly Acquirer[] = [
  ...group({ fails: "status", releases: byAddress(1, "FwpmFreeMemory0"), what: "memory" }, [
    ...KINDS.map((kind) => get(`Fwpm${kind}GetByKey0`)),
    get("FwpmCalloutGetById0"),
    get("FwpmFilterGetById0"),
    get("FwpmLayerGetById0"),
    get("FwpmProviderContextGetById0"),
    get("FwpmProviderContextGetById1"),
    get("FwpmProviderContextGetByKey1"),
    ...KINDS.map((kind): Row => [`Fwpm${kind}Enum0`, 5, out(4), HEADER]),
    ["FwpmProviderContextEnum1", 5, out(4), HEADER],
  ]),
  ...KINDS.flatMap((kind) =>
    group({ fails: "status", releases: by(2, `Fwpm${kind}DestroyEnumHandle0`), what: "handle" }, [
      [`Fwpm${kind}CreateEnumHandle0`, 3, out(3), HEADER],
    ]),
  ),
];
