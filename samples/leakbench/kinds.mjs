import { fileURLToPath } from "node:url";

/**
 * Folders of images of which it is known who leaks: one for each way in which a driver can lose, or seem to lose, what it
 * took. What each driver does is said in ../images/kinds/drivers.c.
 *
 * @typedef {"x64" | "x86"} Arch
 * @typedef {{ name: string, why: string, arch: Arch, tag: string, culprit: string | null, innocent: readonly string[], files: readonly string[] }} Kind
 *   culprit: a module's name, null where nobody may be named. innocent: the other modules. files: paths
 */

const LIBRARIES = ["inner", "outer"];

/** @type {Readonly<Record<string, { why: string, tag: string, culprit: string | null, beside: readonly string[] }>>} */
const KINDS = {
  "one-path": {
    why: "released on one path, forgotten on another",
    tag: "Se  ",
    culprit: "onepath",
    beside: ["allpaths", "globfree"],
  },
  "control-codes": {
    why: "forty control codes, of which one forgets",
    tag: "Se  ",
    culprit: "forty",
    beside: ["fortyall", "allpaths"],
  },
  global: {
    why: "stored in a variable, and released nowhere",
    tag: "Se  ",
    culprit: "globkeep",
    beside: ["globfree", "outfree"],
  },
  field: {
    why: "stored in a field of an argument; the innocent releases it in another routine",
    tag: "Se  ",
    culprit: "fieldkeep",
    beside: ["fieldfree", "globfree"],
  },
  list: {
    why: "put on a list; the innocent empties it in another routine",
    tag: "Se  ",
    culprit: "listkeep",
    beside: ["listfree", "fieldfree"],
  },
  "out-parameter": {
    why: "handed out by one function, and forgotten by its caller",
    tag: "Se  ",
    culprit: "outkeep",
    beside: ["outfree", "listfree"],
  },
  "failed-acquisition": {
    why: "where nothing was given nothing is to be freed",
    tag: "Irp ",
    culprit: "irpkeep",
    beside: ["nullok", "sender"],
  },
  "library-frees-its-own": {
    why: "a call into a library that frees the library's own memory excuses nobody",
    tag: "Se  ",
    culprit: "excuse",
    beside: ["globfree", "allpaths"],
  },
  "other-tag": {
    why: "a release of the same pointer under another tag is one",
    tag: "Se  ",
    culprit: "globkeep",
    beside: ["othertag", "tailfree"],
  },
  "looked-up-release": {
    why: "a release through a pointer that was looked up",
    tag: "Se  ",
    culprit: "globkeep",
    beside: ["lookfree", "tailfree"],
  },
  "looked-up-query": {
    why: "the function that acquires was looked up",
    tag: "Se  ",
    culprit: "lookkeep",
    beside: ["lookfree", "globfree"],
  },
  "looked-up-by-helper": {
    why: "the query and what frees its answer are looked up by a helper; the culprit calls the query alone",
    tag: "Se  ",
    culprit: "askkeep",
    beside: ["askfree", "globfree"],
  },
  "looked-up-by-helper-alone": {
    why: "nobody leaks: the query and what frees its answer are looked up, and both called",
    tag: "Se  ",
    culprit: null,
    beside: ["askfree", "lookfree"],
  },
  "kernel-closes": {
    why: "the kernel closes by calls of its own functions",
    tag: "Key ",
    culprit: "keykeep",
    beside: ["keyclose", "textonly"],
  },
  "kernel-alone": {
    why: "nobody leaks: the kernel and a driver close what they open",
    tag: "Key ",
    culprit: null,
    beside: ["keyclose", "textonly"],
  },
  "no-allocation": {
    why: "AllocateDestinationString is FALSE, or the string is freed under the routine's other name",
    tag: "Strg",
    culprit: "strkeep",
    beside: ["strfalse", "stralias"],
  },
  "no-allocation-alone": {
    why: "nobody leaks: no string is allocated, or it is freed under the routine's other name",
    tag: "Strg",
    culprit: null,
    beside: ["strfalse", "stralias"],
  },
  "typed-reference": {
    why: "a reference by handle with the type of a process; others are of sections and files",
    tag: "Proc",
    culprit: "typedproc",
    beside: ["typedfile", "sectref", "procderef"],
  },
  "typed-file": {
    why: "a reference by handle with the type of a file; others are of sections and processes",
    tag: "File",
    culprit: "typedfile",
    beside: ["typedproc", "sectref", "procderef"],
  },
  "section-handle": {
    why: "nobody can make processes grow by referencing a section that it opened",
    tag: "Proc",
    culprit: null,
    beside: ["sectref", "procderef", "pdobus"],
  },
  "reported-devices": {
    why: "a bus driver's references of the devices that it reports are the PnP manager's",
    tag: "Toke",
    culprit: "tokekeep",
    beside: ["pdobus", "tokederef"],
  },
  "reported-devices-alone": {
    why: "nobody leaks: a bus driver's references are the PnP manager's",
    tag: "Toke",
    culprit: null,
    beside: ["pdobus", "tokederef"],
  },
  "reported-devices-of-devices": {
    why: "nobody leaks: a bus driver's references of the devices that it reports are the PnP manager's",
    tag: "Devi",
    culprit: null,
    beside: ["pdobus", "once"],
  },
  "once-at-start": {
    why: "one reference at start makes nothing grow; one for each request does",
    tag: "Proc",
    culprit: "prockeep",
    beside: ["once", "procderef"],
  },
  "balanced-library": {
    why: "who calls a library function that gives back itself leaks nothing",
    tag: "Irp ",
    culprit: null,
    beside: ["sender", "nullok"],
  },
  "keeping-library": {
    why: "what a library keeps for itself its callers do not leak",
    tag: "InRg",
    culprit: null,
    beside: ["porter", "excuse"],
  },
  "learnt-pair": {
    why: "a library's own memory; its release is nowhere documented",
    tag: "InOp",
    culprit: "libkeep",
    beside: ["libfree", "chainfree"],
  },
  "two-libraries": {
    why: "two libraries between the driver and the tag, and the release goes through both",
    tag: "InOp",
    culprit: "chainkeep",
    beside: ["chainfree", "libfree"],
  },
  "through-library": {
    why: "a library asks the kernel, and its caller owns the answer",
    tag: "Se  ",
    culprit: "vialibkeep",
    beside: ["vialibfree", "globfree"],
  },
  "order-of-calls": {
    why: "a call that balances stands below the one that does not",
    tag: "Se  ",
    culprit: "order",
    beside: ["ender", "globfree"],
  },
  "balanced-api": {
    why: "nobody leaks: the kernel function that they call balances",
    tag: "Se  ",
    culprit: null,
    beside: ["ender", "globfree"],
  },
  "tag-in-code-constant": {
    why: "the kernel's tag is a constant in .text",
    tag: "MmSt",
    culprit: "mapkeep",
    beside: ["mapfree", "globfree"],
  },
  "tag-in-global": {
    why: "the driver's tag is a constant in memory",
    tag: "GlbT",
    culprit: "globtag",
    beside: ["globtagfree", "globfree"],
  },
  "own-at-start": {
    why: "the driver's own memory, allocated for each request; another's once, at start",
    tag: "GlbT",
    culprit: "globtag",
    beside: ["ownonce", "globfree"],
  },
  "own-at-start-alone": {
    why: "nobody leaks: one allocates once, at start, and one frees",
    tag: "GlbT",
    culprit: null,
    beside: ["ownonce", "globtagfree"],
  },
  "unrelated-pair": {
    why: "closing a thread's handle gives no token's answer back",
    tag: "Se  ",
    culprit: "unrelated",
    beside: ["globfree", "tailfree"],
  },
  "string-in-structure": {
    why: "a string in a structure, freed by its address; the tag is nowhere documented, the function is",
    tag: "PpLk",
    culprit: "linkkeep",
    beside: ["linkfree", "globfree"],
  },
  "string-in-structure-alone": {
    why: "nobody leaks: another routine frees the string by its address",
    tag: "PpLk",
    culprit: null,
    beside: ["linkfree", "globfree"],
  },
  "deep-context": {
    why: "hangs in a context that the routine which frees it reaches through four pointers",
    tag: "Se  ",
    culprit: "deepkeep",
    beside: ["deepfree", "fieldfree"],
  },
  "deep-context-alone": {
    why: "nobody leaks: what is freed stands in the same field, behind whichever pointers",
    tag: "Se  ",
    culprit: null,
    beside: ["deepfree", "fieldfree"],
  },
  "behind-a-head": {
    why: "the driver's own allocator hands out what stands behind a head, and its free goes back to that",
    tag: "Head",
    culprit: "headkeep",
    beside: ["headfree", "globfree"],
  },
  "work-item": {
    why: "the routine of a work item frees its context; the item it is not given",
    tag: "IoWI",
    culprit: "itemkeep",
    beside: ["itemfree", "globfree"],
  },
  "two-answers": {
    why: "a call gives two things, of which the one is given back that need not be; where that is not there, neither is",
    tag: "File",
    culprit: "devicekeep",
    beside: ["devicefree", "sectref"],
  },
  "chain-of-references": {
    why: "each turn of a loop takes the next reference, and gives back the one before",
    tag: "Proc",
    culprit: "parentkeep",
    beside: ["parentfree", "procderef"],
  },
  "chain-of-references-alone": {
    why: "nobody leaks: what one turn of the loop takes the next gives back",
    tag: "Proc",
    culprit: null,
    beside: ["parentfree", "procderef"],
  },
  "given-back-on-failure": {
    why: "given back where something failed, and kept in a record otherwise",
    tag: "Proc",
    culprit: "undokeep",
    beside: ["undofree", "procderef"],
  },
  "own-tag-other-routine": {
    why: "the driver's own tag, with a routine that has a release of its own",
    tag: "Rsrv",
    culprit: "reservekeep",
    beside: ["reservefree", "globfree"],
  },
  queue: {
    why: "put on the end of a list; the innocent takes it from the start",
    tag: "Se  ",
    culprit: "queuekeep",
    beside: ["queuefree", "listfree"],
  },
  "completion-routine": {
    why: "the completion routine frees its context; the IRP, which is another argument of it, it keeps",
    tag: "Irp ",
    culprit: "sentkeep",
    beside: ["sentfree", "nullok"],
  },
  "own-by-helper": {
    why: "the driver's own memory comes from a helper that answers whether it gave any",
    tag: "Take",
    culprit: "takekeep",
    beside: ["takefree", "globfree"],
  },
  "own-by-helper-alone": {
    why: "nobody leaks: what the helper gives is freed, and where it gives none there is none",
    tag: "Take",
    culprit: null,
    beside: ["takefree", "globfree"],
  },
  collected: {
    why: "one keeps the answer; one frees its own by their index in an array, one in the record that it is copied to",
    tag: "Se  ",
    culprit: "globkeep",
    beside: ["slotfree", "recfree"],
  },
  "collected-alone": {
    why: "nobody leaks: answers are freed by their index in an array, and in the record that they are copied to",
    tag: "Se  ",
    culprit: null,
    beside: ["slotfree", "recfree"],
  },
  "filled-again": {
    why: "asks only while its variable is empty, and empties it elsewhere; another fills its own once",
    tag: "Se  ",
    culprit: "fillagain",
    beside: ["fillonce", "globfree"],
  },
  states: {
    why: "a loop that goes from state to state; the one asks again before it gave back, the other ends",
    tag: "Se  ",
    culprit: "statekeep",
    beside: ["statefree", "globfree"],
  },
  "states-alone": {
    why: "nobody leaks: the loop gives back what it has when it ends",
    tag: "Se  ",
    culprit: null,
    beside: ["statefree", "allpaths"],
  },
  "three-fields": {
    why: "kept in three fields of a structure; the innocent frees it by the first of them",
    tag: "Se  ",
    culprit: "twinkeep",
    beside: ["twinfree", "fieldfree"],
  },
  "three-fields-alone": {
    why: "nobody leaks: what stands in three fields is freed by the first of them",
    tag: "Se  ",
    culprit: null,
    beside: ["twinfree", "fieldfree"],
  },
  "helper-on-one-path": {
    why: "a helper releases on one path and forgets on another; the innocents' helpers are told, or tell",
    tag: "Proc",
    culprit: "somelost",
    beside: ["sometold", "someflag", "levelfree"],
  },
  "helper-on-one-path-alone": {
    why: "nobody leaks: what the helper does not release, its caller does",
    tag: "Proc",
    culprit: null,
    beside: ["sometold", "someflag", "levelfree"],
  },
  "routine-on-one-path": {
    why: "a work item's routine releases what it is given on one path, and forgets it on another",
    tag: "Proc",
    culprit: "laterlost",
    beside: ["laterdone", "procderef"],
  },
  "routine-on-one-path-alone": {
    why: "nobody leaks: a work item's routine releases on both paths",
    tag: "Proc",
    culprit: null,
    beside: ["laterdone", "procderef"],
  },
  "status-by-sign": {
    why: "a helper makes a BOOLEAN of a status by its sign; the culprit forgets the string on one path",
    tag: "Strg",
    culprit: "signkeep",
    beside: ["signfree", "strfalse"],
  },
  "status-by-sign-alone": {
    why: "nobody leaks: there is no string where the sign says so",
    tag: "Strg",
    culprit: null,
    beside: ["signfree", "strfalse"],
  },
  "handle-for-requester": {
    why: "the requester is given a handle: of the kernel's, or of its own process",
    tag: "Key ",
    culprit: "kernkey",
    beside: ["userkey", "keyclose"],
  },
  "handle-for-requester-alone": {
    why: "no driver leaks: the handle is the requesting process's own",
    tag: "Key ",
    culprit: null,
    beside: ["userkey", "keyclose"],
  },
  "filter-context": {
    why: "contexts of a minifilter, whose tag stands in its registration; the culprit forgets one",
    tag: "CtxH",
    culprit: "ctxkeep",
    beside: ["ctxfree", "ctxfind", "fltmgr"],
  },
  "filter-context-twice": {
    why: "two set a context at once; the culprit forgets the one that was there before its own",
    tag: "CtxH",
    culprit: "ctxlost",
    beside: ["ctxfree", "ctxfind", "fltmgr"],
  },
  "filter-context-alone": {
    why: "nobody leaks: the context is released, and the tag is in a registration",
    tag: "CtxH",
    culprit: null,
    beside: ["ctxfree", "ctxfind", "fltmgr"],
  },
  "linked-by-its-middle": {
    why: "a record in a list that links its middle: its fields stand before the link, or behind it",
    tag: "Proc",
    culprit: "midkeep",
    beside: ["midfree", "partfree"],
  },
  "part-of-a-variable": {
    why: "kept in a structure of the image's own, and given back by code that has its address",
    tag: "Proc",
    culprit: "partkeep",
    beside: ["partfree", "midfree"],
  },
  "marked-pointer": {
    why: "a variable whose pointer has its lowest bit set is exchanged; the innocent gives back the one before",
    tag: "Proc",
    culprit: "markkeep",
    beside: ["markfree", "partfree"],
  },
  "filled-on-the-stack": {
    why: "a routine fills a structure on the stack of whoever waits for it, and gives it back",
    tag: "Proc",
    culprit: "fillkeep",
    beside: ["fillfree", "againfree"],
  },
  "found-again": {
    why: "the innocent gives back two references to what it finds again: the one it remembered, and the new one",
    tag: "Proc",
    culprit: "againkeep",
    beside: ["againfree", "fillfree"],
  },
  "string-returned": {
    why: "nobody leaks: a helper returns a string, in two registers",
    tag: "Strg",
    culprit: null,
    beside: ["pairfree", "textonly"],
  },
  "own-stack-location": {
    why: "left in a stack location of an IRP that its own completion routine finds",
    tag: "Proc",
    culprit: "placekeep",
    beside: ["placefree", "partfree"],
  },
  "step-by-step": {
    why: "a loop that goes from step to step, of which the first is left by the sign of a status",
    tag: "Key ",
    culprit: "stepkeep",
    beside: ["stepfree", "keyclose"],
  },
  "in-a-structure": {
    why: "a library hands out a structure in which the tag's memory stands",
    tag: "OwnB",
    culprit: "structkeep",
    beside: ["structfree", "owner"],
  },
  "reference-in-a-structure": {
    why: "a library hands out a structure with a reference in it",
    tag: "Proc",
    culprit: "holderkeep",
    beside: ["holderfree", "owner"],
  },
  "listed-and-handed-out": {
    why: "a library keeps a list of what it hands out",
    tag: "OwnI",
    culprit: "addkeep",
    beside: ["addfree", "owner"],
  },
  "listed-and-returned": {
    why: "a library keeps a list of what it returns",
    tag: "OwnN",
    culprit: "namekeep",
    beside: ["namefree", "owner"],
  },
  "handed-out-again": {
    why: "nobody leaks: a library hands out what it keeps, and makes it where it is not there",
    tag: "OwnC",
    culprit: null,
    beside: ["findonly", "owner"],
  },
  "swept-up": {
    why: "nobody leaks: a library gives back by itself what its callers do not",
    tag: "OwnW",
    culprit: null,
    beside: ["trackonly", "owner"],
  },
  "submitted-to-library": {
    why: "a library keeps what is submitted to it",
    tag: "OwnM",
    culprit: "makekeep",
    beside: ["submitfree", "owner"],
  },
  "emptied-by-address": {
    why: "a library's buffer in a structure of the caller's, which is emptied by its address",
    tag: "OwnT",
    culprit: "textkeep",
    beside: ["textfree", "owner"],
  },
  "library-entries": {
    why: "entries of a library's lookaside list, as compiled code takes them",
    tag: "OwnL",
    culprit: "entrykeep",
    beside: ["entryfree", "owner"],
  },
  "own-entries": {
    why: "entries of a driver's own lookaside list",
    tag: "KAsd",
    culprit: "asidekeep",
    beside: ["asidefree", "owner"],
  },
  "denied-by-library": {
    why: "a library gives back itself what it does not hand out",
    tag: "Proc",
    culprit: "denykeep",
    beside: ["denyfree", "owner"],
  },
  "framework-key": {
    why: "a registry key of the framework's, which holds a handle",
    tag: "Key ",
    culprit: "framekeykeep",
    beside: ["framekeyfree", "keyclose"],
  },
  "framework-memory": {
    why: "memory of the framework's, which goes with its parent; the culprit names none",
    tag: "KWdf",
    culprit: "framekeep",
    beside: ["framefree", "framekeyfree"],
  },
  "growing-buffer": {
    why: "a buffer on the stack that grows in a loop; what it had before is given back, or is lost",
    tag: "KGrw",
    culprit: "growkeep",
    beside: ["growfree", "asidefree"],
  },
  "tree-on-the-stack": {
    why: "a tree that grows by a function which returns its root",
    tag: "KTre",
    culprit: "treekeep",
    beside: ["treefree", "growfree"],
  },
  "children-of-a-structure": {
    why: "nobody leaks: what a library hands out is its caller's structure's, and goes with that",
    tag: "OwnK",
    culprit: null,
    beside: ["childfree", "owner"],
  },
  "told-of-a-buffer": {
    why: "a library tells its caller of a buffer that the caller's structure has",
    tag: "OwnR",
    culprit: "readkeep",
    beside: ["readfree", "owner"],
  },
  "text-only": {
    why: "the tag's letters stand in texts and names only",
    tag: "Toke",
    culprit: null,
    beside: ["textonly", "ender"],
  },
};

/** The filter manager is that of the other samples. */
const image = (/** @type {Arch} */ arch, /** @type {string} */ file) =>
  fileURLToPath(
    new URL(`../images/${file === "fltmgr.sys" ? "" : "kinds/"}${arch}/${file}`, import.meta.url),
  );

/** @type {readonly Kind[]} */
export const KIND_SCENARIOS = Object.entries(KINDS).flatMap(([name, { why, tag, culprit, beside }]) =>
  /** @type {const} */ (["x64", "x86"]).map((arch) => {
    const others = [...LIBRARIES, ...beside];
    const drivers = culprit === null ? others : [culprit, ...others];
    return {
      name: `${name}-${arch}`,
      why,
      arch,
      tag,
      culprit,
      innocent: ["nt", ...others],
      files: [image(arch, "ntoskrnl.exe"), ...drivers.map((driver) => image(arch, `${driver}.sys`))],
    };
  }),
);
