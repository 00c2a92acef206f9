import type { ArgumentOrigin, Keeping, Stored } from "./fates.ts";
import type { Atom } from "./values.ts";

/** Where an object is kept that was there before. */
export function originOf(atom: Atom): Keeping | undefined {
  if (atom.kind === "loaded") return { in: "global", rva: atom.rva };
  return atom.kind === "field" ? { in: "field", offset: atom.offset } : undefined;
}

export function fieldPointer(base: Atom, displacement: number): Atom | undefined {
  return { kind: "offset", key: `${base.key}#${displacement}`, of: base, offset: displacement };
}

/** What a place behind a pointer is. */
export function keepingBehind(pointer: Atom): Keeping {
  switch (pointer.kind) {
    case "address":
      return { in: "global", rva: pointer.rva };
    case "offset": {
      const of = argumentOrigin(pointer.of);
      return { in: "field", offset: pointer.offset, ...(of === undefined ? {} : { of }) };
    }
    case "register":
    case "argument":
      return { in: "argument", argument: argumentOrigin(pointer) as ArgumentOrigin };
    case "unknown":
    case "constant":
    case "part":
      return { in: "unknown" };
    default:
      return { in: "field", offset: 0 };
  }
}

function argumentOrigin(atom: Atom): ArgumentOrigin | undefined {
  if (atom.kind === "register") return { register: atom.register };
  return atom.kind === "argument" ? { stack: atom.offset } : undefined;
}

export function sameKeeping(a: Keeping, b: Keeping): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function keyOf({ keeping, at }: Stored): string {
  return `${at}:${JSON.stringify(keeping)}`;
}
