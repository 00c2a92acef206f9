/** What `.help` shows: how to ask, by what to type. */
export const REPL_HELP = `Type what you would in WinDbg, or on the command line:
  !vm                                     how full the pools are
  !poolused /t10 4                        the ten tags with most paged pool; tags --top 10 --sort paged
  trace Se                                who leaks \`Se  \`, with the proof
  s Se                                    where the tag stands in code and data
  ln nt!SeQueryInformationToken+3d        what is there; numbers are hex, 0n10 is decimal
  lm m ABC*                               modules of that name
  dps b8f04000+7880 L42                   memory as pointers with names
  db poi(nt!PsLoadedModuleList) L40       bytes; poi() is the pointer that stands there
  u nt!SeQueryInformationToken L10        instructions; uf the whole function, ub before it
  ? nt!SeQueryInformationToken-nt         an expression's value

Or JavaScript. Each command is a function, and what it gives is data:
  lm().modules.filter((m) => m.thirdParty)          a table
  const slots = dps("ABCMiniFilter").imports        a value to go on with
  slots.filter((s) => s.resolved?.name === "SeQueryInformationToken")
  last, _                                           the last value
  hex(dump.address("nt") + 0x1000n)                 addresses are bigint: 0x8096c909n
  dump.read("nt", 16).bytes                         the library: dump.<Tab>

.break leaves a line that is not ended, .editor takes several, .exit or Ctrl-D leaves.
`;
