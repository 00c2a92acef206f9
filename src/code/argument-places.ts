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

/** Where a call may be given arguments. */
export function argumentPlaces(
  wide: boolean,
  site: CallSite,
  name: string | undefined,
): readonly ArgumentPlace[] {
  if (wide) return [1, 2, 3, 4].map((index) => argumentPlace(true, index));
  const words = site.tail ? MOST_PASSED_ON : site.state.argumentBytes(MOST_ARGUMENTS * 4) / 4;
  const places: ArgumentPlace[] = [];
  if (name === undefined || FASTCALL.test(name))
    places.push({ kind: "register", register: Reg.cx }, { kind: "register", register: Reg.dx });
  for (let index = 0; index < words; index++) places.push({ kind: "stack", offset: index * 4 });
  return places;
}
