import { afterEach, describe, expect, it, vi } from "vitest";

type ByteSearch = typeof import("../../src/core/byte-search.ts");

/** As the module is where there is a Buffer, and where there is none, as in a browser. */
async function loadWith(buffer: unknown): Promise<ByteSearch> {
  vi.stubGlobal("Buffer", buffer);
  vi.resetModules();
  return await import("../../src/core/byte-search.ts");
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe.each([
  ["node", Buffer],
  ["a browser", undefined],
])("indexOfBytes in %s", (_, buffer) => {
  const bytes = Uint8Array.of(9, 1, 1, 2, 1, 2, 3, 1, 2).subarray(1);

  it("finds a pattern from an offset on, and only where all of it stands", async () => {
    const { indexOfBytes } = await loadWith(buffer);
    const found = [0, 1, 2, 4, 6].map((from) => indexOfBytes(bytes, Uint8Array.of(1, 2), from));
    expect(found).toEqual([1, 1, 3, 6, 6]);
    expect(indexOfBytes(bytes, Uint8Array.of(1, 2, 3))).toBe(3);
    expect(indexOfBytes(bytes, Uint8Array.of(1, 2, 4))).toBe(-1);
    expect(indexOfBytes(bytes, Uint8Array.of(9))).toBe(-1);
  });

  it("finds nothing past the end, where a pattern is cut short", async () => {
    const { indexOfBytes } = await loadWith(buffer);
    expect(indexOfBytes(bytes, Uint8Array.of(1, 2), 7)).toBe(-1);
    expect(indexOfBytes(bytes, Uint8Array.of(1), 8)).toBe(-1);
    expect(indexOfBytes(bytes, Uint8Array.of(1), 100)).toBe(-1);
    expect(indexOfBytes(bytes, new Uint8Array(20).fill(1))).toBe(-1);
  });

  it("finds an empty pattern everywhere, and at the end", async () => {
    const { indexOfBytes } = await loadWith(buffer);
    expect([0, 8, 9].map((from) => indexOfBytes(bytes, new Uint8Array(0), from))).toEqual([0, 8, -1]);
  });
});
