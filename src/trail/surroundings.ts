import { addTo } from "../core/search.ts";
import { codeMissing, type TrailModule, type TrailTarget } from "./target.ts";
import { isWindowsFileName } from "./windows-files.ts";

/** How a module gets between Windows and whoever calls it. `import`: a slot of a module of Windows leads into it. */
export type FilterKind =
  | "minifilter"
  | "file-system-filter"
  | "network-filter"
  | "callout"
  | "registry-callback"
  | "object-callback"
  | "notify-routine"
  | "import";

/** A module that is not, or may not be, Microsoft's, and hangs in between. */
export interface Filter {
  readonly module: string;
  readonly kinds: readonly FilterKind[];
}

/** What could not be looked at, and could hold whoever leaks. */
export type Unseen =
  /** A module whose code is not all there, or nothing of it: `missing` in bytes, null where not even that is known. */
  | { readonly what: "module"; readonly name: string; readonly missing: number | null }
  /** A driver that was unloaded before, by its file's name. */
  | { readonly what: "unloaded"; readonly name: string }
  /** The list of loaded modules ended early. */
  | { readonly what: "module-list" }
  /** Handle tables of processes, for the tag of an object. */
  | { readonly what: "handles" };

/** Who besides Windows is there, whether or not anything speaks against them. */
export interface Surroundings {
  /** Loaded modules that are not Microsoft's, or of which it is not known. */
  readonly others: readonly string[];
  readonly filters: readonly Filter[];
  readonly unseen: readonly Unseen[];
}

/** @see Windows driver documentation (fltkernel.h, ntifs.h, ndis.h, fwpsk.h, wdm.h, ntddk.h), by function */
const REGISTERED_BY: Readonly<Record<string, FilterKind>> = {
  FltRegisterFilter: "minifilter",
  FsRtlRegisterFileSystemFilterCallbacks: "file-system-filter",
  IoRegisterFsRegistrationChange: "file-system-filter",
  IoRegisterFsRegistrationChangeEx: "file-system-filter",
  NdisFRegisterFilterDriver: "network-filter",
  FwpsCalloutRegister0: "callout",
  FwpsCalloutRegister1: "callout",
  FwpsCalloutRegister2: "callout",
  FwpsCalloutRegister3: "callout",
  CmRegisterCallback: "registry-callback",
  CmRegisterCallbackEx: "registry-callback",
  ObRegisterCallbacks: "object-callback",
  PsSetCreateProcessNotifyRoutine: "notify-routine",
  PsSetCreateProcessNotifyRoutineEx: "notify-routine",
  PsSetCreateProcessNotifyRoutineEx2: "notify-routine",
  PsSetCreateThreadNotifyRoutine: "notify-routine",
  PsSetCreateThreadNotifyRoutineEx: "notify-routine",
  PsSetLoadImageNotifyRoutine: "notify-routine",
  PsSetLoadImageNotifyRoutineEx: "notify-routine",
};

/** Looks at who is there besides Windows, and at what of them cannot be looked at. */
export function surroundingsOf(target: TrailTarget): Surroundings {
  const others = target.modules.filter(isOther);
  const kinds = new Map<string, FilterKind[]>();
  for (const module of others) {
    for (const kind of registeredAs(target, module)) addTo(kinds, module.name, kind);
  }
  for (const name of importedFrom(target)) addTo(kinds, name, "import");
  return {
    others: others.map(({ name }) => name),
    filters: [...kinds].map(([module, found]) => ({ module, kinds: [...new Set(found)] })),
    unseen: [
      ...(target.listCut === true ? [{ what: "module-list" } as const] : []),
      ...others.flatMap((module) => unseenOf(target, module) ?? []),
      ...[...new Set(target.unloaded)]
        .filter((name) => !isWindowsFileName(name))
        .map((name) => ({ what: "unloaded", name }) as const),
    ],
  };
}

function isOther({ publisher }: TrailModule): boolean {
  return publisher.thirdParty !== false;
}

function registeredAs(target: TrailTarget, { imports }: TrailModule): readonly FilterKind[] {
  return imports.slots.flatMap(({ declared, value }) => {
    const names = [
      ...(declared?.name == null ? [] : [declared.name]),
      ...(value === undefined ? [] : (target.resolve(value)?.names ?? [])),
    ];
    return names.flatMap((name) => REGISTERED_BY[name] ?? []);
  });
}

/** Other modules that slots of modules of Windows lead into: they import nothing from there by themselves. */
function importedFrom(target: TrailTarget): ReadonlySet<string> {
  const found = new Set<string>();
  for (const module of target.modules) {
    if (isOther(module)) continue;
    for (const { value } of module.imports.slots) {
      const into = value === undefined ? undefined : target.moduleAt(value);
      if (into !== undefined && isOther(into)) found.add(into.name);
    }
  }
  return found;
}

function unseenOf(target: TrailTarget, module: TrailModule): Unseen | undefined {
  const { name, image, imports } = module;
  if (image === undefined) return { what: "module", name, missing: null };
  const missing = codeMissing(target, module);
  const cut = imports.gaps.some(({ table }) => table === "addresses" || table === "address-directory");
  return missing > 0 || cut ? { what: "module", name, missing } : undefined;
}
