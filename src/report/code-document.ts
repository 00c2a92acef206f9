import { hex, windbgHex } from "../core/address.ts";
import { tableKey, tagText } from "../pool/tag.ts";
import type { CodeListing, ListedLine } from "../trail/listing/code-listing.ts";
import type { ListingDoubt } from "../trail/listing/lines.ts";
import type { NamedMention, Referral } from "../trail/listing/references.ts";
import type { ValueMark } from "../trail/listing/value-marks.ts";
import type { CodeDocument, CodeLine, CodeReferral } from "./documents.ts";
import { gapOf, plural } from "./words.ts";

/**
 * A listing as the `code` command's document.
 *
 * @param notes what is to be said beyond the listing's own doubts
 */
export function codeDocument(
  listing: CodeListing,
  pointerSize: 4 | 8,
  notes: readonly string[] = [],
): CodeDocument {
  const { address, module, view, pieces, doubts } = listing;
  return {
    address,
    module,
    view,
    pieces: pieces.map((piece) => ({
      name: piece.name,
      function: piece.function,
      lines: piece.lines.map((line) => lineOf(line, pointerSize)),
    })),
    notes: [...doubts.map((doubt) => doubtText(doubt, listing, pointerSize)), ...notes],
  };
}

function lineOf(line: ListedLine, pointerSize: 4 | 8): CodeLine {
  const { address, length, kind, parts, refers, here, marks, fault } = line;
  const digits = Array.from(line.bytes, (byte) => byte.toString(16).padStart(2, "0"));
  return {
    address,
    length,
    kind,
    bytes: kind === "hole" ? "??" : digits.join(" "),
    text: parts.length === 0 ? null : parts.map((part) => partText(part, pointerSize)).join(""),
    refers: refers.map(referralOf),
    here,
    note: marks.length === 0 ? null : marks.map(markText).join("; "),
    marks,
    fault: gapOf(fault),
  };
}

/** `A` stands for what one call acquires. */
function markText({ value, what, name }: ValueMark): string {
  switch (what) {
    case "acquires":
      return `${value} from here`;
    case "copies":
      return `copies ${value}`;
    case "tests":
      return `tests ${value}`;
    case "passes":
      return `given ${value}`;
    case "stores":
      return `stores ${value}`;
    case "releases":
      return name === null ? `gives ${value} back` : `${name} gives ${value} back`;
    case "returns":
      return `returns ${value}`;
    case "forgets":
      return `${value} is lost`;
  }
}

/** As WinDbg writes it: the name, and the address behind it. */
function partText(part: string | NamedMention, pointerSize: 4 | 8): string {
  if (typeof part === "string") return part;
  const { mention, place } = part;
  const plain = mention.kind === "branch" || mention.kind === "memory";
  if (place === undefined) return plain ? windbgHex(mention.value, pointerSize) : mention.text;
  const name = place.kind === "import-slot" ? `__imp ${place.name}` : place.name;
  const named = `${name} (${windbgHex(place.address, pointerSize)})`;
  if (mention.kind === "displacement") return `+${named}`;
  return mention.kind === "immediate" ? `offset ${named}` : named;
}

function referralOf(referral: Referral): CodeReferral {
  const { kind, address = null } = referral;
  const nothing = { kind, address, name: null, text: null, encoding: null, fault: null };
  switch (referral.kind) {
    case "tag":
      return { ...nothing, text: tagText(tableKey(referral.key)) };
    case "text": {
      const { found } = referral;
      if (!("text" in found)) return { ...nothing, fault: gapOf(found) };
      return { ...nothing, text: found.cut ? `${found.text}\u2026` : found.text, encoding: found.encoding };
    }
    default:
      return { ...nothing, name: referral.name };
  }
}

function doubtText(doubt: ListingDoubt, { address, module, view }: CodeListing, pointerSize: 4 | 8): string {
  const at = windbgHex(address, pointerSize);
  switch (doubt.kind) {
    case "not-decoded":
      return `${doubt.machine} instructions are not decoded; pooltrail read shows the bytes, and near the function`;
    case "no-module":
      return view === "function"
        ? `${at} belongs to no module in the list, and no function is known there`
        : `${at} belongs to no module in the list: whether code stands there is not known`;
    case "no-headers":
      return `the headers of ${module} cannot be read, and so no function of it is known: ${doubt.problem.message}`;
    case "not-code":
      return `${at} is not in code of ${module}`;
    case "no-function":
      return view === "function"
        ? `no function is known at ${at}; without --view function its surroundings are listed`
        : `no function is known at ${at}: where instructions start there is a guess`;
    case "inside-instruction":
      return `no instruction of the code starts at ${at}: it is ${hex(address - doubt.start)} into the one at ${windbgHex(doubt.start, pointerSize)}`;
    case "shared":
      return `the code at ${at} belongs to ${doubt.entries.length} functions: ${doubt.entries.map((entry) => windbgHex(entry, pointerSize)).join(", ")}`;
    case "from-file":
      return `${plural(doubt.bytes, "byte")} came from a PE file, not from the dump`;
    case "not-followed":
      return "a function here is too large to be followed: not all calls through registers are named";
    case "cut":
      return `${plural(doubt.bytes, "more byte")} of the function ${doubt.bytes === 1 ? "is" : "are"} not listed`;
  }
}
