import { addAll, addTo } from "../core/search.ts";
import { Flow } from "../isa/instruction.ts";
import type { FunctionFlow } from "./function-flow.ts";

/** How control goes through one function: where ways meet, and where each can go on. */
export interface ControlFlow {
  /** Places that something jumps to, or that follow a branch. */
  readonly leaders: ReadonlySet<number>;
  /** Where an indirect jump can lead in the function: the labels of its table; where none is told, what nothing known leads to. */
  labelsOf(jump: number): readonly number[];
  /** Leaders from which a place is reached, the one that holds it included. */
  reaching(place: number): ReadonlySet<number>;
  /** Whether no way leads to a place but through another. */
  isBehind(place: number, other: number): boolean;
  /** Whether a way leads from a place back to it, and not through another. */
  isRepeated(place: number, other: number): boolean;
  /** Whether a way leads from one place on to another, and not through what stands at `without`. */
  leadsTo(place: number, other: number, without: number): boolean;
}

const known = new WeakMap<FunctionFlow, ControlFlow>();

/** The control flow of a function that was followed. The work is done once. */
export function controlFlowOf(flow: FunctionFlow): ControlFlow {
  const done = known.get(flow);
  if (done !== undefined) return done;
  const made = new Graph(flow);
  known.set(flow, made);
  return made;
}

/** No place: the way from each indirect jump to what nothing known leads to, of both of which there may be thousands. */
const UNREACHED = -1;

class Graph implements ControlFlow {
  readonly leaders = new Set<number>();
  readonly #flow: FunctionFlow;
  /** Leaders by those that come before them. */
  readonly #before = new Map<number, number[]>();
  /** The leader of each instruction's block. */
  readonly #leaderOf = new Map<number, number>();

  constructor(flow: FunctionFlow) {
    this.#flow = flow;
    const { instructions, labels, unreached } = flow;
    this.leaders.add(flow.function.entry);
    for (const { start, length, flow, target } of instructions.values()) {
      if (target !== undefined && flow !== Flow.Call && instructions.has(target)) this.leaders.add(target);
      if (flow === Flow.Branch) this.leaders.add(start + length);
    }
    for (const places of [unreached, ...labels.values()]) {
      for (const place of places) this.leaders.add(place);
    }
    this.#linkAll();
    for (const place of unreached) this.#link(UNREACHED, place);
  }

  #linkAll(): void {
    const {
      instructions,
      labels,
      function: { entry },
    } = this.#flow;
    let leader: number = entry;
    let next = -1;
    for (const { start, length, flow, target } of [...instructions.values()].sort(
      (a, b) => a.start - b.start,
    )) {
      if (this.leaders.has(start) || start !== next) {
        if (start === next) this.#link(leader, start);
        leader = start;
      }
      this.#leaderOf.set(start, leader);
      const goesOn = flow !== Flow.Jump && flow !== Flow.JumpIndirect && flow !== Flow.Return;
      next = goesOn && flow !== Flow.Stop ? start + length : -1;
      if (target !== undefined && flow !== Flow.Call && instructions.has(target)) this.#link(leader, target);
      if (flow !== Flow.JumpIndirect) continue;
      for (const label of labels.get(start) ?? [UNREACHED]) this.#link(leader, label);
    }
  }

  labelsOf(jump: number): readonly number[] {
    const { labels, unreached } = this.#flow;
    return labels.get(jump) ?? unreached;
  }

  reaching(place: number): ReadonlySet<number> {
    return this.#reaching(place, undefined);
  }

  isBehind(place: number, other: number): boolean {
    const through = this.#leaderOf.get(other);
    if (through === undefined) return false;
    if (through === this.#leaderOf.get(place)) return place > other;
    return !this.#reaching(place, through).has(this.#flow.function.entry);
  }

  isRepeated(place: number, other: number): boolean {
    return this.#leaderOf.get(place) !== this.#leaderOf.get(other) && this.leadsTo(place, place, other);
  }

  leadsTo(place: number, other: number, without: number): boolean {
    const start = this.#leaderOf.get(place) ?? place;
    const end = this.#leaderOf.get(other) ?? other;
    const closed = this.#leaderOf.get(without);
    if (start === end && place < other) return true;
    const found = new Set<number>();
    const pending = [...(this.#before.get(end) ?? [])];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (at === start) return true;
      if (found.has(at) || at === closed) continue;
      found.add(at);
      addAll(pending, this.#before.get(at) ?? []);
    }
    return false;
  }

  /** @param without a leader that no way goes through */
  #reaching(place: number, without: number | undefined): ReadonlySet<number> {
    const found = new Set<number>();
    const pending = [this.#leaderOf.get(place) ?? place];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (found.has(at) || at === without) continue;
      found.add(at);
      addAll(pending, this.#before.get(at) ?? []);
    }
    return found;
  }

  #link(from: number, to: number): void {
    addTo(this.#before, to, from);
  }
}
