import type { NamedDriver, Step } from "../trail/next-steps.ts";
import type { ObjectHolder } from "../trail/object-holders.ts";
import { list } from "./list.ts";

const MOST_GONE = 5;

/** Puts a step into words, for somebody who has to do it. */
export function stepWords(step: Step, tag: string | null): string {
  switch (step.do) {
    case "take-dump":
      return DUMPS[step.because];
    case "name-tag":
      return "Name the tag that grows (poolmon shows it): pooltrail trace DUMP TAG. pooltrail tags DUMP lists what each tag uses, where the dump holds the tables.";
    case "give-images":
      return "Give the machine's driver files with --images DIR, or add them to the folder, so that more of the code can be read.";
    case "second-dump":
      return `${step.live ? "Take a second live dump, an hour or so after this one (the machine need not stop for it)," : "Take a second dump later,"} and see whether ${tag === null ? "the tag" : `\`${tag}\``} grew: pooltrail tags NEW --since THIS.`;
    case "update":
      return `Update ${names(step.drivers)}.`;
    case "unload-filter":
      return `To be sure, without a reboot: ${step.drivers.map(({ module }) => `fltmc unload ${module}`).join("; ")}, and watch ${tag === null ? "the tag" : `\`${tag}\``} (poolmon).`;
    case "disable":
      return `Where that does not help, disable ${names(step.drivers)}${step.drivers.length > 1 ? " one at a time" : ""} (${step.drivers.map(({ module }) => `sc config ${module} start= disabled`).join("; ")}), reboot, and watch whether ${tag === null ? "the tag" : `\`${tag}\``} still grows.`;
    case "then":
      return `After that, in this order: ${names(step.drivers)}.`;
    case "beware-boot":
      return `${list(step.drivers.map(({ file, start }) => `${file} (${start} start)`))}: do not disable ${step.drivers.length === 1 ? "it" : "them"} blindly, the machine may not start again.`;
    case "give-hive":
      return "Which of them start at boot is not known: a boot or system driver must not be disabled blindly. Give the machine's SYSTEM hive with --system-hive FILE, or ask it: sc qc NAME.";
    case "trace-references":
      return `To see who takes references to these objects and keeps them: gflags /ko ${step.tag.trimEnd()}, reboot, and !obtrace OBJECT in a debugger.`;
    case "verifier":
      return `It allocates with the tag itself, so that Driver Verifier counts it: verifier /flags 0x8 /driver ${step.drivers.map(({ file }) => file).join(" ")}.`;
    case "end-process":
      return endProcess(step.holder, tag);
    case "update-windows":
      return `Install the updates of Windows that are due, and look the tag up in Microsoft's release notes and support articles. Where that does not help, report it with this dump: \`${step.tag}\` grows in Windows' own code.`;
    case "consider-unloaded": {
      const more =
        step.names.length > MOST_GONE
          ? ` (and ${step.names.length - MOST_GONE} more: pooltrail modules)`
          : "";
      return `Consider ${list(step.names.slice(0, MOST_GONE))}${more} as well: unloaded before the dump, so that no code of ${step.names.length === 1 ? "it" : "them"} could be looked at, and what such a driver did not free stays.`;
    }
  }
}

/** What a handle leak takes: the handles go with the process, the mistake with its next version. */
function endProcess({ name, pids }: ObjectHolder, tag: string | null): string {
  const what = name ?? `process ${pids[0]}`;
  return `End or restart ${what}, and see whether ${tag === null ? "the tag" : `\`${tag}\``} goes back: its handles are closed with it. Update it, or report it to whoever makes it, with what pooltrail handles DUMP ${name ?? pids[0]} shows; on the machine, handle.exe -s -p ${pids[0]} counts the same.`;
}

const DUMPS = {
  triage:
    "Take a kernel or full dump (System Properties, Startup and Recovery), or give the machine's driver files with --images DIR.",
  "stacks-only":
    "Take a live dump with all of the kernel's memory (Task Manager: Full live kernel memory dump), and not its stacks alone.",
  "cut-off": "Copy the dump again, or take another one, before anything is concluded from it.",
  "no-code":
    "Give the machine's driver files with --images DIR, or a full or kernel dump that holds more of the code (pooltrail modules says how much of each can be read).",
} as const;

function names(drivers: readonly NamedDriver[]): string {
  return list(drivers.map(({ file }) => file));
}
