import { addTo } from "../../core/search.ts";

/**
 * Variables of nt that hold object types, with the pool tags of their objects; a driver passes what the variable
 * holds (`*PsProcessType`). A type's tag is made of the first
 * four letters of its name, padded with spaces.
 *
 * @see Windows driver documentation, ObReferenceObjectByHandle (the types); wdm.h and ntifs.h declare the variables
 */
const OBJECT_TYPES: Readonly<Record<string, readonly string[]>> = {
  PsProcessType: ["Proc"],
  PsThreadType: ["Thre"],
  PsJobType: ["Job "],
  PsPartitionType: ["Part"],
  SeTokenObjectType: ["Toke"],
  IoFileObjectType: ["File"],
  IoDriverObjectType: ["Driv"],
  IoDeviceObjectType: ["Devi"],
  IoAdapterObjectType: ["Adap"],
  IoControllerObjectType: ["Cont"],
  IoCompletionObjectType: ["IoCo"],
  ExEventObjectType: ["Even"],
  ExSemaphoreObjectType: ["Sema"],
  ExMutantObjectType: ["Muta"],
  ExTimerObjectType: ["Time"],
  ExCallbackObjectType: ["Call"],
  ExProfileObjectType: ["Prof"],
  ExDesktopObjectType: ["Desk"],
  ExWindowStationObjectType: ["Wind"],
  MmSectionObjectType: ["Sect"],
  CmKeyObjectType: ["Key "],
  // A port since Vista is an ALPC port under either name.
  LpcPortObjectType: ["Port", "ALPC"],
  LpcWaitablePortObjectType: ["Wait", "ALPC"],
  AlpcPortObjectType: ["ALPC"],
  DbgkDebugObjectType: ["Debu"],
  TmTransactionObjectType: ["TmTx"],
  TmTransactionManagerObjectType: ["TmTm"],
  TmResourceManagerObjectType: ["TmRm"],
  TmEnlistmentObjectType: ["TmEn"],
};

/** The pool tags of the objects of the type that a variable of that name holds; none for another name. */
export function objectTags(variable: string): readonly string[] {
  return Object.hasOwn(OBJECT_TYPES, variable) ? (OBJECT_TYPES[variable] ?? []) : [];
}

/** The types that the variables are of, by the tags of their objects. */
const TYPES_BY_TAG: ReadonlyMap<string, readonly string[]> = typesByTag();

function typesByTag(): ReadonlyMap<string, readonly string[]> {
  const types = new Map<string, string[]>([
    ["Dire", ["Directory"]],
    ["Symb", ["SymbolicLink"]],
  ]);
  for (const [variable, tags] of Object.entries(OBJECT_TYPES)) {
    const type = variable.replace(/^(?:[A-Z][a-z]|Dbgk)(?=[A-Z])/, "").replace(/(?:Object)?Type$/, "");
    for (const tag of tags) addTo(types, tag, type);
  }
  return types;
}

/** The tags of objects that have a name here: what a function for objects of any type can make grow. */
export const OBJECT_TAGS: ReadonlySet<string> = new Set(TYPES_BY_TAG.keys());

/** The types whose objects have a tag, as Windows names them: `Process`, `Key`. */
export function objectTypesOf(tag: string): readonly string[] {
  return TYPES_BY_TAG.get(tag) ?? [];
}
