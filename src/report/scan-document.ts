import type { CalledBy, Seen, Via } from "../code/tag-use.ts";
import { hex } from "../core/address.ts";
import type { Reference as FoundReference, Scan as FoundScan } from "../trail/scan.ts";
import { list } from "./list.ts";

/** A place in an image where the tag's four bytes stand. */
export interface Reference extends Omit<FoundReference, "seen" | "via" | "protected"> {
  /** What was seen that makes it this use; null where nothing more is to be said. */
  readonly detail: string | null;
}

/** Every reference to a tag, and what could be looked at. */
export interface Scan extends Omit<FoundScan, "references"> {
  readonly references: readonly Reference[];
}

export function scanDocument(scan: FoundScan): Scan {
  return { ...scan, references: scan.references.map(referenceDocument) };
}

export function referenceDocument({ seen, via, protected: marked, ...reference }: FoundReference): Reference {
  const parts = [
    ...(seen === null ? [] : [seenWords(seen)]),
    ...(via.length === 0 ? [] : [via.map(viaWords).join(", ")]),
    ...(marked ? ["with the protected bit"] : []),
  ];
  return { ...reference, detail: parts.length === 0 ? null : parts.join("; ") };
}

/** Letters of a text that are shown. */
const MOST_LETTERS = 40;

function seenWords(seen: Seen): string {
  switch (seen.kind) {
    case "argument": {
      const routine = seen.known ? "" : ", which is no known pool routine";
      return `argument ${seen.index} of ${called(seen.of)} at ${hex(seen.at)}${routine}`;
    }
    case "passed":
      return `passed at ${hex(seen.at)} to ${called(seen.to)}, which calls ${seen.routine} with it`;
    case "structure":
      return `in the ${seen.name} given to ${called(seen.to)} at ${hex(seen.at)}`;
    case "compared":
    case "returned":
      return `${seen.kind} at ${hex(seen.at)}`;
    case "stored":
      return `stored at ${hex(seen.at)}${storedInto(seen.into)}`;
    case "registration":
      return `the pool tag of a context registration at ${hex(seen.at)}: the filter manager allocates with it`;
    case "text": {
      const { text } = seen;
      return `letters of the text ${JSON.stringify(text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text)}`;
    }
    case "data":
      return `in data${readers(seen)}`;
    case "outside-functions":
      return "in an executable section, but in no function";
    case "unreadable":
      return "the page cannot be read";
    case "too-large":
      return "in a function that is too large to be followed";
    case "no-instruction":
      return "in a function, but in no instruction of it that can be read";
    case "nowhere":
      return "where it goes cannot be told";
    case "not-decoded":
      return `${seen.machine} code is not decoded`;
    case "no-load":
      return `no ${seen.machine} instruction was found that loads the bytes`;
    case "no-operand":
      return `no operand of the ${seen.mnemonic} that holds the bytes`;
    case "left":
      return `${seen.how} at ${hex(seen.at)} in register ${seen.register}; ${seen.machine} code is followed in straight lines only, and where it goes was not seen`;
    case "in-variable":
      return `in a variable: ${seenWords(seen.there)}`;
    case "from-there":
      return `${seenWords(seen.first)}; there ${seenWords(seen.there)}`;
    case "also":
      return `${seenWords(seen.first)}; also ${list(seen.uses)}`;
  }
}

function viaWords(via: Via): string {
  switch (via.kind) {
    case "jump":
    case "variable":
      return `the ${via.kind} at ${hex(via.at)}`;
    case "wrapper":
      return `${called(via.wrapper)}, which passes it to ${via.routine}`;
    case "structure":
      return via.name;
  }
}

function called({ name, offset }: CalledBy): string {
  return name ?? (offset === undefined ? "a function that nothing names" : `the function at ${hex(offset)}`);
}

function storedInto(into: Extract<Seen, { kind: "stored" }>["into"]): string {
  if (into === "unknown") return "";
  if (into === "structure") return " into a structure";
  return into === "stack"
    ? " on the stack, and given to no pool routine"
    : ` into the variable at ${hex(into.variable)}`;
}

function readers({ readers: how, machine }: Extract<Seen, { kind: "data" }>): string {
  if (how === "none") return "";
  return how === "not-looked-for"
    ? "; who reads it was not looked for"
    : `; ${machine} code that reads it is not looked for`;
}
