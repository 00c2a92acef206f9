import { describe, expect, it } from "vitest";
import { blockNoteText, leakReasonText } from "../../src/report/pool-words.ts";

describe("words for what a tag's blocks show", () => {
  it.each([
    [{ kind: "not-searched", why: "triage" }, /triage dump .* does not hold the pool/],
    [{ kind: "not-searched", why: "no-places" }, /where the pools stand is not known/],
    [{ kind: "sampled", one: 7 }, /^one in 7 pieces of the pool was looked at/],
    [{ kind: "sampled", one: 1 }, /^not all of the pool/],
    [{ kind: "not-all-places" }, /more pieces/],
    [{ kind: "whole-kernel-space" }, /all of kernel space/],
    [{ kind: "freed-too" }, /may have been freed/],
    [{ kind: "doubtful", blocks: 1 }, /^1 header with the tag was left out/],
    [{ kind: "doubtful", blocks: 1200 }, /^1,200 headers with the tag were left out/],
    [{ kind: "big-unread", blocks: 2, of: 1024 }, /^2 of 1,024 allocations of a page and more/],
    [{ kind: "followed", followed: 4096, of: 40_007 }, /4,096 of 40,007 blocks/],
    [{ kind: "cut", what: "pointers" }, /more pointers/],
    [{ kind: "cut", what: "objects" }, /more objects/],
    [{ kind: "cut", what: "lists" }, /longer lists/],
    [
      { kind: "not-billed", blocks: 2, why: "many-processes" },
      /^2 blocks are charged to processes: .* too many/,
    ],
    [{ kind: "not-billed", blocks: 1, why: "cookie" }, /^1 block is charged to a process: .* secret/],
    [{ kind: "not-billed", blocks: 3, why: "no-processes" }, /^3 blocks are charged to processes: .* list/],
    [{ kind: "not-billed", blocks: 3, why: "not-a-process" }, /none that still runs$/],
    [{ kind: "billed", billed: 32_769, of: 65_537 }, /^the processes of 32,769 of 65,537 charged blocks/],
  ] as const)("%o", (note, text) => {
    expect(blockNoteText(note)).toMatch(text);
  });

  it.each([
    [{ kind: "no-table", missing: "triage" }, /tables cannot be read/],
    [{ kind: "not-in-table" }, /not in what could be read/],
    [{ kind: "doubt", doubt: "partial" }, /in doubt/],
    [{ kind: "none-outstanding" }, /^nothing of it is allocated now$/],
    [{ kind: "share", part: 0.75, rank: 1 }, /^it holds 75 % of the paged pool .*, the most of all tags$/],
    [{ kind: "share", part: 0.0004, rank: 1200 }, /^it holds <1 % .* number 1,200 of all tags$/],
    [{ kind: "fills", part: 0.424 }, /^it fills 42 %/],
    [{ kind: "never-freed", allocations: 40_007 }, /^none of its 40,007 allocations was ever freed$/],
    [
      { kind: "kept", part: 0.001, allocations: 9e6, many: false },
      /^<1 % of its 9,000,000 .* others were freed$/,
    ],
    [
      { kind: "kept", part: 0.5, allocations: 9000, many: true },
      /^50 % of its 9,000 allocations are still there$/,
    ],
    [{ kind: "few", outstanding: 3, bytes: 192 }, /^3 allocations of 192 bytes in all are little$/],
    [{ kind: "more-than-alive", outstanding: 9227, alive: 40 }, /^9,227 are allocated, and only 40/],
    [{ kind: "goes-with", tags: ["A   "], source: null, isSource: false }, /that of A {3}$/],
    [{ kind: "goes-with", tags: ["A   "], source: "A   ", isSource: false }, /of which A {4}never frees$/],
    [{ kind: "goes-with", tags: ["A   "], source: "B   ", isSource: true }, /and it alone never frees$/],
    [
      { kind: "grew", outstanding: 1, bytes: 96, seconds: 60 },
      /^it grew by 1 allocation and 96 bytes in 0:01:00$/,
    ],
    [{ kind: "did-not-grow", outstanding: 0, bytes: 0, seconds: 3600 }, /did not grow in the 1:00:00/],
  ] as const)("%o", (reason, text) => {
    expect(leakReasonText(reason, "paged")).toMatch(text);
  });
});
