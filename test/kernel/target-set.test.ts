import { describe, expect, it } from "vitest";
import { random } from "../../samples/writer/bytes.mjs";
import { TargetSet } from "../../src/kernel/target-set.ts";

/** Places as objects have them, in an order that means nothing: multiples of 16, each once. */
function places(count: number, step: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => 0x1000 + ((i * 7919) % count) * 16 * step);
}

describe("a set of places that handles lead to", () => {
  it.each([
    ["close together", 1],
    ["as events in pool", 8],
    ["a page apart", 256],
  ])("keeps the number of each through all its growth: %s", (_, step) => {
    const set = new TargetSet();
    const wanted = new Map<number, number>();
    places(50_000, step).forEach((place, i) => {
      const kind = 1 + (i % 65_535);
      set.setKind(set.slotOf(place), kind);
      wanted.set(place, kind);
    });
    const kept = new Map<number, number>();
    set.each((place, kind) => void kept.set(place, kind));
    expect({ size: set.size, full: set.full }).toEqual({ size: 50_000, full: false });
    expect(kept).toEqual(wanted);
    expect([...wanted].filter(([place, kind]) => set.kindOf(set.slotOf(place)) !== kind)).toEqual([]);
    expect(set.size).toBe(50_000);
  });

  it("holds 2,097,152 and says that it is full where there are more (MAX_HANDLE_TARGETS)", () => {
    const set = new TargetSet();
    for (let i = 1; i <= 2_097_152; i++) set.slotOf(i * 0x80);
    expect({ size: set.size, full: set.full }).toEqual({ size: 2_097_152, full: false });
    expect(set.slotOf(0x80)).toBeGreaterThanOrEqual(0);
    expect(set.slotOf(2_097_153 * 0x80)).toBe(-1);
    expect({ size: set.size, full: set.full }).toEqual({ size: 2_097_152, full: true });
  });

  it("finds again what reaches round the end of its table when it grows", () => {
    // chance puts places there: in about one set of fifty one is lost where growth does not heed it
    const draw = random(19041);
    const lost = Array.from({ length: 200 }, () => {
      const set = new TargetSet();
      const all = new Set(Array.from({ length: 2000 }, () => 0x1000 + draw(0x100_0000) * 16));
      for (const place of all) set.setKind(set.slotOf(place), 1);
      return [...all].filter((place) => set.kindOf(set.slotOf(place)) !== 1).length;
    });
    expect(lost.filter((count) => count > 0)).toEqual([]);
  });

  it("says for each process once that a place is new to it, also after growth", () => {
    const set = new TargetSet();
    const all = places(3000, 4);
    const newTo = (who: number): number => all.filter((place) => set.isNewTo(set.slotOf(place), who)).length;
    expect([newTo(1), newTo(1), newTo(2), newTo(2)]).toEqual([3000, 0, 3000, 0]);
    for (const place of places(20_000, 4)) set.slotOf(place);
    expect(newTo(2)).toBe(0);
  });
});
