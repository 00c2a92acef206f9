import { advance, type Rva, type Va } from "../core/address.ts";
import { addTo, groupBy } from "../core/search.ts";
import { asciiBytes, utf16Bytes } from "../core/text.ts";
import { findPatterns, wordSearch } from "../memory/search.ts";
import { sectionSpan } from "../pe/sections.ts";
import type { Value } from "./abstract-value.ts";
import type { DataFlow } from "./data-flow.ts";
import type { FunctionFlow } from "./function-flow.ts";
import type { CodeFunction } from "./function-table.ts";
import type { ImageCode } from "./functions.ts";
import { functionsNaming, placeNamed } from "./xrefs.ts";

/** A sign that an image looks a function up by its name while it runs. */
export interface RuntimeLookup {
  readonly name: string;
  readonly encoding: "ansi" | "utf-16";
  /** Where the name stands. */
  readonly string: Rva;
  /** The call that takes the name; absent where the name is only there. */
  readonly call?: { readonly at: Rva; readonly function: CodeFunction; readonly routine: string };
  /** The variable that the answer is kept in. */
  readonly pointer?: Rva;
  /** Calls of the answer in the function that looks it up. */
  readonly uses?: readonly Rva[];
}

/**
 * Finds names of functions that stand in an image as text, and the calls that look them up: the text given as it is, as
 * a counted string that a call or the code itself sets up, or as one that stands ready in data.
 *
 * Names that import and export tables need are none of these, unless code uses them too.
 */
export function findRuntimeLookups(flows: DataFlow, names: ReadonlySet<string>): readonly RuntimeLookup[] {
  const { imports, exports } = flows.image.image;
  const listed = new Set<string | null | undefined>(exports.items.map(({ name }) => name));
  for (const { declared } of imports.slots) listed.add(declared?.name);
  const texts = findNames(flows.image, names);
  const calls = lookupsOf(flows, texts);
  return texts.flatMap((text) => {
    const taken = calls.get(text.string);
    if (taken !== undefined) return taken.map((found) => ({ ...text, ...found }));
    return text.encoding === "ansi" && listed.has(text.name) ? [] : [text];
  });
}

function findNames({ image }: ImageCode, names: ReadonlySet<string>): RuntimeLookup[] {
  const wanted = [...names].flatMap((name) => [
    { name, encoding: "ansi" as const, bytes: asciiBytes(`${name}\0`) },
    { name, encoding: "utf-16" as const, bytes: utf16Bytes(`${name}\0`) },
  ]);
  const found: RuntimeLookup[] = [];
  for (const section of image.sections) {
    const length = Math.min(sectionSpan(section), image.size - section.rva);
    if (length <= 0 || wanted.length === 0) continue;
    const start = advance(image.base, section.rva);
    const needles = wanted.map(({ bytes }) => bytes);
    findPatterns(image.space, start, length, needles, (at, index) => {
      const hit = wanted[index];
      const string = Number(at - image.base);
      if (hit === undefined || !standsAlone(image, string, hit.encoding)) return;
      found.push({ name: hit.name, encoding: hit.encoding, string: string as Rva });
    });
  }
  return found.sort((a, b) => a.string - b.string);
}

/** No letter or digit stands in front: the name is not the end of a longer one. */
function standsAlone(image: ImageCode["image"], rva: number, encoding: "ansi" | "utf-16"): boolean {
  const width = encoding === "ansi" ? 1 : 2;
  const before = image.space.tryRead(advance(image.base, rva - width), width);
  if (before === undefined || before[width - 1] !== (width === 1 ? before[0] : 0)) return true;
  return !/[A-Za-z0-9_]/.test(String.fromCharCode(before[0] ?? 0));
}

type Taken = Pick<RuntimeLookup, "call" | "pointer" | "uses">;

/** The calls that look texts up, by where the text stands, in all functions that name one or a counted string of one. */
function lookupsOf(flows: DataFlow, texts: readonly RuntimeLookup[]): ReadonlyMap<number, readonly Taken[]> {
  const { image } = flows.image;
  const textAt = new Map<number, number>(texts.map(({ string }) => [string, string]));
  for (const [place, text] of countedStrings(image, [...textAt.keys()])) textAt.set(place, text);
  const textsOf = (value: Value): number[] =>
    value.flatMap((atom) => textAt.get(placeNamed(flows.image, atom) ?? -1) ?? []);
  const taken = new Map<number, Taken[]>();
  for (const found of functionsNaming(flows.image, [...textAt.keys()])) {
    const flow = flows.of(found);
    for (const site of flow.calls) {
      const lookup = flows.lookedUp.lookup(site);
      const given = new Set(lookup === undefined ? [] : textsOf(lookup.name));
      if (lookup === undefined || given.size === 0) continue;
      const at = site.instruction.start as Rva;
      const pointer = keptIn(flow, at);
      const uses = usesOf(flow, at);
      for (const text of given) {
        addTo(taken, text, {
          call: { at, function: found, routine: lookup.routine },
          ...(pointer === undefined ? {} : { pointer }),
          ...(uses.length === 0 ? {} : { uses }),
        });
      }
    }
  }
  return taken;
}

/** Calls through what a call has given. */
function usesOf(flow: FunctionFlow, call: number): readonly Rva[] {
  return flow.calls
    .filter(({ through }) => through?.some((atom) => atom.kind === "result" && atom.call === call))
    .map(({ instruction }) => instruction.start as Rva);
}

/** Where UNICODE_STRINGs and ANSI_STRINGs stand in data whose buffer is one of `texts`, each with that. */
function countedStrings(
  image: ImageCode["image"],
  texts: readonly number[],
): readonly (readonly [number, number])[] {
  const { pointerSize } = image;
  const found: (readonly [number, number])[] = [];
  const addressOf = (text: number): bigint => advance(image.base, text);
  const groups = groupBy(texts, (text) => Number(addressOf(text) >> 32n));
  for (const section of image.sections) {
    const length = Math.min(sectionSpan(section), image.size - section.rva);
    if (section.executable || length < pointerSize) continue;
    for (const [high, ones] of groups) {
      const words = ones.map((text) => Number(addressOf(text) & 0xffff_ffffn));
      const put = (at: Va, index: number): void => {
        const text = ones[index];
        if (text !== undefined) found.push([Number(at - image.base) - pointerSize, text]);
      };
      const upper = pointerSize === 8 ? high : undefined;
      wordSearch(words, upper)(image.space, advance(image.base, section.rva), length, put);
    }
  }
  return found;
}

/** The variable that the answer of a call is stored in. */
function keptIn(flow: FunctionFlow, call: number): Rva | undefined {
  const store = flow.events.find(
    ({ kind, place, value }) =>
      kind === "store" &&
      place !== undefined &&
      value.some((atom) => atom.kind === "result" && atom.call === call),
  );
  return store?.place as Rva | undefined;
}
