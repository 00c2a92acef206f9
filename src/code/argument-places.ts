import { Reg } from "../isa/x86/decoder.ts";
import { type ArgumentPlace, argumentPlace } from "./allocators.ts";
import type { CallSite } from "./call-site.ts";

/** These take their first arguments in registers in 32-bit code, too. */
export const FASTCALL: RegExp =
  /^@|^(?:Iof|Obf|Kf|Exf|Interlocked|ExInterlocked|KeAcquireInStackQueued|KeReleaseInStackQueued)/;

/** Where a documented argument stands. */
export function placeOfArgument(wide: boolean, argument: number, name: string | undefined): ArgumentPlace {
  if (wide || name === undefined || !FASTCALL.test(name)) return argumentPlace(wide, argument);
  if (argument > 2) return { kind: "stack", offset: (argument - 3) * 4 };
  return { kind: "register", register: argument === 1 ? Reg.cx : Reg.dx };
}

/** The number of an argument by its place; in 32-bit code of its words. */
export function argumentNumber(wide: boolean, place: ArgumentPlace, name: string | undefined): number {
  if (place.kind === "stack") {
    if (wide) return 5 + (place.offset - 0x20) / 8;
    return place.offset / 4 + (name !== undefined && FASTCALL.test(name) ? 3 : 1);
  }
  return wide ? [1, 2, 8, 9].indexOf(place.register) + 1 : place.register === Reg.cx ? 1 : 2;
}

/** Arguments of one call that are looked at. */
const MOST_ARGUMENTS = 12;
/** … and of a jump to another function, which is given what this one was. */
const MOST_PASSED_ON = 6;

/**
 * Where a call may be given arguments. In 64-bit code a place on the stack may as well be a variable, since a function
 * that gives nobody more than four keeps its own there: only the callee tells.
 */
export function argumentPlaces(
  wide: boolean,
  site: CallSite,
  name: string | undefined,
): readonly ArgumentPlace[] {
  if (wide) {
    const places = [1, 2, 3, 4].map((index) => argumentPlace(true, index));
    const { stack, sp } = site.state;
    for (let index = 5; index <= MOST_ARGUMENTS; index++) {
      const place = argumentPlace(true, index);
      if (place.kind === "stack" && stack.has(sp + place.offset + (site.tail ? 8 : 0))) places.push(place);
    }
    return places;
  }
  const words = site.tail ? MOST_PASSED_ON : site.state.argumentBytes(MOST_ARGUMENTS * 4) / 4;
  const places: ArgumentPlace[] = [];
  if (name === undefined || FASTCALL.test(name))
    places.push({ kind: "register", register: Reg.cx }, { kind: "register", register: Reg.dx });
  for (let index = 0; index < words; index++) places.push({ kind: "stack", offset: index * 4 });
  return places;
}
