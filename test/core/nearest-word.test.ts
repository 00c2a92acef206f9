import { describe, expect, it } from "vitest";
import { didYouMean } from "../../src/core/nearest-word.ts";

const WORDS = ["SeQueryInformationToken", "SeQuerySessionIdToken", "SeAppendPrivileges", "nt", "hal", "Ntfs"];

describe("didYouMean", () => {
  it.each([
    // left out, doubled, wrong, exchanged
    ["SeQueryInformationTokn", "SeQueryInformationToken"],
    ["SeQueryInformationTokenn", "SeQueryInformationToken"],
    ["SeQueryInformatiomToken", "SeQueryInformationToken"],
    ["SeQureyInformationToken", "SeQueryInformationToken"],
    ["hla", "hal"],
    // the case alone is nearer than any letter
    ["NTFS", "Ntfs"],
    ["ntf", "nt"],
    // a start is enough, where nothing else is near
    ["SeApp", "SeAppendPrivileges"],
    ["SeQuery", "SeQuerySessionIdToken"],
  ])("%s means %s", (typed, word) => {
    expect(didYouMean(typed, WORDS)).toBe(`; did you mean ${word}?`);
  });

  it.each(["zzzz", "Se", "", "SeOpenObjectAuditAlarm"])("%j means nothing that is there", (typed) => {
    expect(didYouMean(typed, WORDS)).toBe("");
  });

  it("compares no word of a length that only a broken file has (MAX_SPELLED)", () => {
    const long = "a".repeat(80);
    expect(didYouMean(`${long.slice(1)}b`, [long])).toBe(`; did you mean ${long}?`);
    expect(didYouMean(`${long}a`, [`${long}a`])).toBe("");
    expect(didYouMean(long, [`${long}a`])).toBe("");
  });
});
