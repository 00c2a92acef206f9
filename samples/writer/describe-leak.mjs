/**
 * What a reader of leak-x64.dmp should find, as text for leak-x64.md.
 * @param {any} g the golden values of leak-x64.mjs @returns {string}
 */
export function describeLeak(g) {
  const count = (/** @type {number} */ n) => n.toLocaleString("en-US");
  const references = g.references
    .map(
      (/** @type {any} */ r) =>
        `| \`${r.address}\` | ${r.section} | ${r.function ?? "(no function)"} | ${r.use} | ${r.nearestExport ?? ""} |`,
    )
    .join("\n");
  const site = (/** @type {any} */ s) => `\`${s.address}\` in ${s.in}${s.rewritten ? " (written over)" : ""}`;
  const importers = g.importers
    .map(
      (/** @type {any} */ i) => `| ${i.module} | \`${i.slot}\` | ${i.sites.map(site).join(", ") || "none"} |`,
    )
    .join("\n");
  return `# leak-x64.dmp

A bitmap kernel dump (type 6) of a 64-bit Windows 10 style machine, build 19041, four processors, 4-level page tables,
bugcheck 0xE2, written by \`leak-x64.mjs\` from the compiled images in \`images/\`. What follows comes from \`nm\`, \`objdump\`
and the linker (\`images/truth/\`), and from the numbers in the script. \`leak-x64.json\` has it for machines.

**The answer: \`ctstor.sys\` (Contoso Storage Ltd.) leaks \`Se  \`.** It calls \`SeQueryInformationToken\` at two places and
never releases what it gets.

## Pool

| | allocations | frees | outstanding | bytes |
|---|---|---|---|---|
| \`Se  \` paged | ${count(g.usage.paged.allocations)} | ${count(g.usage.paged.frees)} | ${count(g.usage.paged.outstanding)} | ${count(g.usage.paged.bytes)} |
| \`Se  \` nonpaged | 9,204 | 9,160 | 44 | 2,112 |
| all ${g.tags} tags, nonpaged | | | | ${count(g.totals.nonPaged)} |
| all ${g.tags} tags, paged | | | | ${count(g.totals.paged)} |

- 412,000 of the paged allocations are blocks of 0x60 bytes with their header (\`SepBuildInformation\` asks for 0x50); the
  other 24 stand in the big page table, with ${count(g.bigPages.bytes)} bytes.
- The tracker has layout B64 (stride 0x38), 4,096 hashed slots and one more, a table for each of four processors.
  Processor 0 freed more than it allocated: its table alone gives a negative count for \`Se  \`, and for \`File\` too.
- Pages in use, behind KDBG's MmPagedPoolCommit: paged ${count(g.pool.pagedPages)}, nonpaged ${count(g.pool.nonPagedPages)}. The fields of KDBG that are zero
  in Windows 10 are zero here: not available, not 0.

## References to \`Se  \`

All in nt, ${g.references.length} that are readable; one more, a lookaside list's, was in INIT and is gone.

| address | section | function | use | nearest export below |
|---|---|---|---|---|
${references}

\`SepBuildInformation\` (\`${g.internal.fragments[0][0]}\` to \`${g.internal.fragments[0][1]}\`) is not exported. The nearest export, SeUnlockSubjectContext,
has nothing to do with it. The exports that reach it: SeQueryInformationToken (depth 1), NtQueryInformationToken
(depth 2, through SepQueryTokenWorker). SepCaptureProcessAuditId is reached through a pointer in a table only. The cold
parts of SeOpenObjectAuditAlarm and SeSetAuditParameter stand ${g.coldDistance.SeOpenObjectAuditAlarm} and ${g.coldDistance.SeSetAuditParameter} bytes from their entries, the first
under a chained unwind entry.

## Who imports SeQueryInformationToken (\`${g.target}\`)

| module | slot | call sites |
|---|---|---|
${importers}

- ctstor.sys: the leaker. The second site loads the slot into a register before its loop. Nothing of it frees: it does
  call ExFreePoolWithTag, with its own tags. On stacks, live: \`${g.onStack.dispatch}\` (thread of ctsagent.exe), \`${g.onStack.worker}\`
  (system thread).
- fabusb.sys imports it and never calls it; all its code is readable.
- nwindav.sys calls it and releases with ExFreePool. It is built without the filler, so its calls keep the form of the
  file. A stale return address of it, \`${g.onStack.stale}\`, lies below the live part of a stack of nwavsvc.exe.
- msdisk.sys (Microsoft Corporation) calls it through a linker's thunk, and releases.
- tailspin.sys does not import it: the UTF-16 name stands at \`${g.lookup.name}\`, MmGetSystemRoutineAddress is imported and
  called, and the pointer is kept at \`${g.lookup.pointer}\`. It releases.
- fltmgr.sys calls it in FltQuerySecurityObject, which litwflt.sys imports and calls; litwflt.sys releases.

## Processes and handles

${g.processes.length} processes, each with the same few handles: to 12 events, 5 keys, 4 files and 3 sections of its own. sqlservr.exe has 600
more to events and explorer.exe 90, each to one of its own: many, and no leak. In all
${Object.entries(g.handles)
  .map(([type, number]) => `${count(Number(number))} to ${type}`)
  .join(", ")}.

## Also there

- nt's text under one large page (2 MiB); PteBase 0xfffffa0000000000, so the page tables see themselves in slot 0x1f4.
- INIT and .reloc of every image discarded; import names and descriptors are gone with INIT. Paged out: nt's and
  ctstor's PAGE. In transition, readable: nwindav's and tailspin's PAGE, four pages of leaked blocks.
- prosew.sys: a delay import of wwilib.sys that was never used (its slots lead to its own load thunks), an import by
  ordinal (nt's 7, a function without a name), a hal import that is forwarded to nt (HalSetTimer). ctstor.sys: a nt
  import that is forwarded to hal (HalReadBootRegister).
- win32k.sys in the module list with no page readable; two unloaded drivers, ctsprobe.sys and dump_msdisk.sys.
`;
}
