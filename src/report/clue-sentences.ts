import type { Keeping } from "../code/fates.ts";
import { hex, type Va, windbgHex } from "../core/address.ts";
import { grouped } from "../core/text.ts";
import type {
  Acquired,
  Allocates,
  Calls,
  Clue,
  Contents,
  Forgets,
  HandsOver,
  Holds,
  Keeps,
  LeftUnfreed,
  LooksUp,
  NamedFunction,
  OnStack,
  SizeMatches,
  Tracked,
} from "../trail/clue.ts";
import { list } from "./list.ts";
import { plural } from "./words.ts";

const MOST = 5;

/** Puts clues into clauses of which the module is the subject. */
export class ClueSentences {
  readonly #pointerSize: 4 | 8;

  constructor(pointerSize: 4 | 8) {
    this.#pointerSize = pointerSize;
  }

  of(clue: Clue): string {
    switch (clue.kind) {
      case "calls":
        return this.#calls(clue);
      case "forgotten":
        return this.#forgets(clue);
      case "kept":
        return this.#keeps(clue);
      case "releases": {
        const names = [...new Set(clue.releasedAt.map(({ name }) => name))];
        return `gives back what ${clue.acquired.function.name} gives, with ${list(names)} (${this.#places(clue.releasedAt.map(({ at }) => at))})`;
      }
      case "hands-on":
        return `hands what ${clue.acquired.function.name} gives on to the callers of its exported ${list(clue.through)}`;
      case "may-release":
        return this.#handsOver(clue);
      case "imports":
      case "pointer":
        return this.#holds(clue);
      case "looks-up-at-run-time":
        return this.#looksUp(clue);
      case "allocates":
        return this.#allocates(clue);
      case "registers-contexts": {
        const each = clue.size === null ? "" : `, ${grouped(clue.size)} bytes each`;
        return `registers contexts with the tag at ${placesCount(clue.at.length)}: ${this.#places(clue.at)}${each}; the filter manager allocates them for it`;
      }
      case "on-stack":
        return this.#onStack(clue);
      case "pool-content":
        return this.#contents(clue);
      case "size-match":
        return sizeMatch(clue);
      case "tracked":
        return this.#tracked(clue);
      case "left-unfreed":
        return leftUnfreed(clue);
    }
  }

  #at(address: Va): string {
    return windbgHex(address, this.#pointerSize);
  }

  #tracked({ allocations, bytes, callers, outstanding }: Tracked): string {
    const of = outstanding === null ? "" : ` of the ${grouped(outstanding)} that are there`;
    return `has not freed ${plural(allocations, "allocation")}${of} (${grouped(bytes)} bytes), as Driver Verifier lists them: asked for before ${this.#places(callers.map(({ at }) => at))}`;
  }

  #places(places: readonly Va[]): string {
    const shown = places.slice(0, MOST).map((place) => this.#at(place));
    const more = places.length - shown.length;
    return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  }

  #calls({ acquired, way, typed, places, onceOnly }: Calls): string {
    const callers = [...new Set(places.map(({ caller }) => caller))];
    const more = callers.length - 3;
    const inside = `${callers.slice(0, 3).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
    const through = way === "looked-up" ? " through the pointer that it looked up" : "";
    const given = argumentsOf(places);
    return `calls ${functionName(acquired.function)}${through} at ${placesCount(places.length)}: ${this.#places(places.map(({ at }) => at))}, in ${inside}${given}${leads(acquired)}${typed ? "" : "; of which type the object is cannot be told"}${onceOnly ? "; only when it starts" : ""}`;
  }

  #forgets({ acquired, ways, releasedOnOthers, partly, onceOnly }: Forgets): string {
    const [first] = ways;
    const way = first === undefined ? "" : `: ${this.#way(first)}`;
    const more = ways.length > 1 ? `; ${plural(ways.length - 1, "more way")} alike` : "";
    const others =
      releasedOnOthers.length > 0 ? `; other ways give it back (${this.#places(releasedOnOthers)})` : "";
    const cut = partly ? "; not all ways could be followed" : "";
    return `loses what ${acquired.function.name} gives${way}${more}${others}${cut}${onceOnly ? "; only when it starts" : ""}`;
  }

  #way({ call, end, branches, failing }: Forgets["ways"][number]): string {
    const turn = branches.at(-1);
    const by = turn === undefined ? "" : `, past the branch at ${this.#at(turn)}`;
    const error = failing ? " after another error" : "";
    return `called at ${this.#at(call)}, it ends at ${this.#at(end)}${by}${error}, with nothing given back or kept`;
  }

  #keeps({ acquired, places, released, releasedAt, codeMissing, onceOnly }: Keeps): string {
    const { name } = acquired.function;
    const where = [...new Set(places.map(({ keeping }) => keepingWords(keeping)))].slice(0, 3).join(" or ");
    const kept = `keeps what ${name} gives ${where} (${this.#places(places.map(({ at }) => at))})`;
    const once = onceOnly ? "; only once" : "";
    const needed = acquired.releases.length === 0 ? "any free" : list(acquired.releases.slice(0, 3), "or");
    switch (released) {
      case "same-place":
        return `${kept}, and gives back what is there (${this.#places(releasedAt)})${once}`;
      case "none":
        return `${kept}, and no code of it takes it from there to ${needed}${once}`;
      case "unread":
        return `${kept}, and no code of it takes it from there to ${needed}, but ${grouped(codeMissing)} bytes of its code could not be read${once}`;
      default: {
        const seen = releasedAt.length === 0 ? "" : ` (${this.#places(releasedAt)})`;
        return `${kept}; whether what it gives back elsewhere${seen} is this cannot be told${once}`;
      }
    }
  }

  #handsOver({ acquired, to }: HandsOver): string {
    const [first] = to;
    const who =
      first === undefined
        ? "code that was not seen"
        : (keeperWords(first.name) ?? "a function that cannot be told");
    const at = first === undefined ? "" : ` (${this.#at(first.at)})`;
    return `gives what ${acquired.function.name} gives to ${who}${at}, which may give it back`;
  }

  #holds({ kind, function: function_, at, slot, basis, codeMissing }: Holds): string {
    const name = functionName(function_);
    if (kind === "pointer") {
      const value = function_.address === null ? "" : `${this.#at(function_.address)}, `;
      return `holds ${value}the address of ${name}, in its data`;
    }
    const where = slot === "delay-iat" ? "delay-import slot" : "import slot";
    const what =
      basis === "disagree"
        ? `declares ${name}, but its ${where} ${this.#at(at)} holds another address`
        : `holds ${name} in its ${where} ${this.#at(at)}`;
    if (codeMissing === null) return `${what}; its code could not be looked at`;
    return codeMissing === 0
      ? `${what}, and no code of it calls through it`
      : `${what}; no call was seen, but ${grouped(codeMissing)} bytes of its code could not be read`;
  }

  #looksUp({ function: { name }, encoding, call, keptIn }: LooksUp): string {
    if (call === null)
      return `holds the name ${name} as ${encoding === "utf-16" ? "UTF-16" : "ASCII"} text; nothing was seen to look it up`;
    const kept = keptIn === null ? "" : `, and keeps the answer at ${this.#at(keptIn)}`;
    return `looks ${name} up by its name through ${call.routine}${kept}`;
  }

  #allocates({ at, size, forgets, released, releasedAt, onceOnly, forOthers }: Allocates): string {
    const once = onceOnly ? ", only once" : "";
    const each = `${size === null ? "" : `, ${grouped(size)} bytes each`}${once}`;
    const own = `allocates with the tag itself at ${placesCount(at.length)}: ${this.#places(at)}${each}`;
    if (forOthers.length > 0)
      return `${own}, for those who call its exported functions: ${list(forOthers.slice(0, MOST))}`;
    const [way] = forgets;
    if (way !== undefined) return `${own}, and loses it: ${this.#way(way)}`;
    switch (released) {
      case "every-way":
      case "same-place":
        return `${own}, and frees it (${this.#places(releasedAt)})`;
      case "none":
        return `${own}, and no code of it frees what it keeps of that`;
      case "unread":
        return `${own}, and no code of it that could be read frees what it keeps of that`;
      case "any-free":
      case "perhaps":
        return own;
    }
  }

  #onStack({ function: function_, hits }: OnStack): string {
    const shown = hits.slice(0, MOST_STACKS).map(({ process, thread, returnsTo, state }) => {
      const who = process === null ? "a thread" : `a thread of ${process}`;
      return `${who} (${this.#at(thread)}) returns to ${this.#at(returnsTo)}${STACK_STATE[state]}`;
    });
    const more = hits.length - shown.length;
    return `is on stacks just behind its calls of ${functionName(function_)}: ${shown.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
  }

  #contents({ blocks, of, through, examples }: Contents): string {
    const how =
      through === "list-head"
        ? "are on a list whose head stands in it"
        : through === "direct"
          ? "hold a pointer into it"
          : "point to something that holds a pointer into it";
    const [first] = examples;
    const such = first === undefined ? "" : `, such as ${this.#at(first.target)} at ${this.#at(first.at)}`;
    return `owns blocks: ${grouped(blocks)} of ${grouped(of)} blocks of the tag that were looked at ${how}${such}`;
  }
}

const MOST_STACKS = 3;
const STACK_STATE = {
  live: "",
  stale: ", in a part of the stack that is no longer in use",
  unknown: ", where it is not known whether the call is under way",
} as const;

function sizeMatch({ size, block, strength, others }: SizeMatches): string {
  const how = { all: "exactly what each has", most: "what nearly all have", some: "what some have" }[
    strength
  ];
  const more =
    others === 0 ? "" : `; ${plural(others, "other place")} ${others === 1 ? "asks" : "ask"} for as much`;
  return `asks for ${hex(size)} bytes, which take ${hex(block)} of pool: ${how}${more}`;
}

function leftUnfreed({ allocations, outstanding }: LeftUnfreed): string {
  const many = allocations === null ? "allocations" : plural(allocations, "allocation");
  const same = allocations !== null && allocations === outstanding ? ", as many as there are of the tag" : "";
  return `was unloaded and had not freed ${many}${same}: Driver Verifier stopped the machine for it`;
}

function functionName({ module, name }: NamedFunction): string {
  return `${module}!${name}`;
}

function leads({ path, libraries, depth }: Acquired): string {
  if (libraries === 0 && depth === 0) return "";
  const [, ...rest] = path;
  return rest.length === 0 ? "" : `, which leads to ${rest.join(" -> ")}`;
}

function placesCount(count: number): string {
  return count === 1 ? "one place" : `${grouped(count)} places`;
}

/** Constant arguments, where all places pass the same; of others only the first place is told, and said to be. */
function argumentsOf(places: Calls["places"]): string {
  const texts = places.map(({ constants }) => {
    const last = constants.findLastIndex((value) => value !== null);
    const shown = constants.slice(0, last + 1).map((value) => (value === null ? "_" : hex(value >>> 0)));
    return shown.length === 0 ? "" : `(${shown.join(", ")})`;
  });
  const [first = ""] = texts;
  if (first === "") return "";
  return texts.every((text) => text === first)
    ? `, with the arguments ${first}`
    : `, the first with the arguments ${first}`;
}

function keepingWords(keeping: Keeping): string {
  switch (keeping.in) {
    case "global":
      return `in the variable at +${hex(keeping.rva)}`;
    case "field":
      return `in a structure at +${hex(keeping.offset)}`;
    case "argument":
      return "where its caller has it";
    case "callee":
      return keeping.name === undefined ? "with another function" : `with ${keeping.name}`;
    case "unknown":
      return "somewhere that cannot be told";
  }
}

function keeperWords(name: string | null): string | undefined {
  switch (name) {
    case null:
      return undefined;
    case "io-manager":
      return "the I/O manager";
    case "filter-manager":
      return "the filter manager";
    case "pnp-manager":
      return "the PnP manager";
    case "parent":
      return "its parent object";
    case "library":
      return "the library that gave it";
    case "caller":
      return "its caller, in a structure that it returns";
    case "process":
      return "the current process, whose handle it is";
    default:
      return name;
  }
}
