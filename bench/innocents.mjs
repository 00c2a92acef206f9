import { inFolder, isStrong } from "./folder-verdicts.mjs";

/** Tags of objects and of the kernel's own that a driver can make grow without allocating. */
export const OBJECT_TAGS = [
  ..."Proc Thre Toke File Even Sema Muta Sect Key Irp Mdl Devi Driv Symb Time Se SeSd Strg FMfn FMct IoWI MmSt".split(
    " ",
  ),
];

/**
 * Who is named with medium or high confidence, for each tag, among images that leak nothing of it.
 *
 * @param {typeof import("../src/index.ts").openFolder} openFolder
 * @param {{ name: string, files: readonly string[], tags: readonly string[], guilty: ReadonlySet<string> }} group guilty: `module tag`, of those that do leak it
 * @returns {{ traced: number, named: readonly string[] }}
 */
export function accusedIn(openFolder, { name, files, tags, guilty }) {
  return inFolder(openFolder, files, (folder) => {
    const named = [];
    for (const tag of tags) {
      const { module, confidence, because } = folder.trace(tag).conclusion;
      if (module === null || !isStrong(confidence) || guilty.has(`${module} ${tag.trim()}`)) continue;
      named.push(`${name}, \`${tag.padEnd(4)}\`: ${module}, ${confidence}: ${because[0] ?? ""}`);
    }
    return { traced: tags.length, named };
  });
}
