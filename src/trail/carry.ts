import type { ArgumentOrigin, Fails, Fates, Gives, Keeping } from "../code/fates.ts";

/** How a function hands on what it acquired; `undefined`: it stays inside, or where it goes is not known. */
export interface HandedOut {
  readonly gives: Gives;
  readonly fails: Fails;
}

/** How a function gives to its callers what becomes of something in it so. */
export function handedOut(fates: Fates, wide: boolean): HandedOut | undefined {
  if (fates.returned.length > 0) return { gives: { by: "return" }, fails: "null" };
  for (const { keeping } of fates.stored) {
    const gives = outOf(keeping, wide);
    if (gives !== undefined) return { gives, fails: "status" };
  }
  return undefined;
}

/** Whether nothing of it is left when the function returns. */
export function isGivenBack(fates: Fates): boolean {
  const { released, forgotten, stored, handed, returned, whole } = fates;
  return (
    whole && released.length > 0 && forgotten.length + stored.length + handed.length + returned.length === 0
  );
}

function outOf(keeping: Keeping, wide: boolean): Gives | undefined {
  if (keeping.in === "argument") {
    const argument = numberOf(keeping.argument, wide);
    return argument === undefined ? undefined : { by: "out", argument };
  }
  if (keeping.in !== "field" || keeping.of === undefined) return undefined;
  const argument = numberOf(keeping.of, wide);
  return argument === undefined ? undefined : { by: "structure", argument, offset: keeping.offset };
}

/** The argument's number by where the function finds it; 32-bit code is taken to pass all on the stack. */
function numberOf(origin: ArgumentOrigin, wide: boolean): number | undefined {
  if ("stack" in origin) return wide ? origin.stack / 8 : origin.stack / 4;
  const index = [1, 2, 8, 9].indexOf(origin.register);
  return wide && index >= 0 ? index + 1 : undefined;
}
