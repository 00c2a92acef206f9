/**
 * Tags of what a kind of object has with it: their counts follow that of the object, and a leak of the object is
 * theirs, too.
 */
interface Held {
  /** The object's tag. */
  readonly object: string;
  readonly tags: readonly string[];
  /** Public accounts in which they grew together, by title or issue number. */
  readonly source: string;
}

/** What holds others comes before them: a thread keeps its process, and a process that ended keeps no thread. */
const HELD: readonly Held[] = [
  {
    object: "Thre",
    tags: ["Proc"],
    source: "Microsoft, The Old New Thing, on near-death processes that a handle to a thread keeps",
  },
  {
    object: "Proc",
    tags: ["MiP2", "Toke", "Obtb", "Even"],
    source: "a live dump of build 26200 with 71,703 ended processes, in public",
  },
  {
    object: "File",
    tags: ["IoNm", "FOCX", "IoFE", "NtFC", "NtfC"],
    source: "microsoft/WSL#40804",
  },
  { object: "File", tags: ["NpFr"], source: "kavika13/RemCom#28" },
  { object: "Toke", tags: ["FMfn"], source: "microsoft/WSL#41296" },
];

/** Tags of one component that were seen to grow together, and of which none leads: a queue and what waits in it. */
const TOGETHER: readonly { readonly tags: readonly string[]; readonly source: string }[] = [
  { tags: ["Etwr", "EtwD"], source: "ciderapp/Cider-2#1946, MicrosoftEdge/WebView2Feedback#5593" },
];

/** What drivers allocate of the kernel's for a buffer of their own; it goes with the tag of that. */
const FOR_OTHERS: ReadonlySet<string> = new Set(["Mdl ", "Irp ", "IoWI"]);

/** Objects that drivers hang a block of their own on, which is freed with the object. */
const CARRIERS: ReadonlySet<string> = new Set(["Proc", "Thre", "File", "Toke", "Key "]);

/** Whether it is known that counts of two tags go together: the second is of the kernel's for what has the first, or the other way. */
export function isHeld(one: { readonly tag: string }, other: { readonly tag: string }): boolean {
  const tags = [one.tag, other.tag];
  return (
    FOR_OTHERS.has(other.tag) ||
    CARRIERS.has(other.tag) ||
    TOGETHER.some((row) => tags.every((tag) => row.tags.includes(tag))) ||
    HELD.some((row) => tags.includes(row.object) && row.tags.some((tag) => tags.includes(tag)))
  );
}

/** Of tags whose counts go together, the object that another of them hangs on. */
export function objectOf(tags: readonly string[]): string | undefined {
  return HELD.find((row) => tags.includes(row.object) && row.tags.some((tag) => tags.includes(tag)))?.object;
}

/** Whether blocks of others may hang on objects with the tag. */
export function isCarrier(tag: string): boolean {
  return CARRIERS.has(tag);
}
