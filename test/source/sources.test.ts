import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { BlobSource } from "../../src/source/blob.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { openFile } from "../../src/source/node-files.ts";
import { readAt } from "../../src/source/source.ts";

const folder = mkdtempSync(join(tmpdir(), "pooltrail-source-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllGlobals());

const nine = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
const path = join(folder, "nine.bin");
writeFileSync(path, nine);

/** A worker's FileReaderSync can only be imitated here: it gives the bytes of the parts that were cut. */
class ReaderOfParts {
  readAsArrayBuffer(part: Blob): ArrayBuffer {
    const bytes = parts.get(part);
    if (bytes === undefined) throw new Error("not a part of the blob");
    return bytes;
  }
}
const parts = new WeakMap<Blob, ArrayBuffer>();

class CutBlob extends Blob {
  override slice(start = 0, end = this.size): Blob {
    const part = super.slice(start, end);
    parts.set(part, nine.slice(start, end).buffer);
    return part;
  }
}

function blobSource(): BlobSource {
  vi.stubGlobal("FileReaderSync", ReaderOfParts);
  return new BlobSource(new CutBlob([nine]), "nine.bin");
}

describe.each([
  ["FileSource", () => openFile(path)],
  ["BytesSource", () => new BytesSource(nine, "nine.bin")],
  ["BlobSource", blobSource],
])("%s", (_, open) => {
  it("knows its name and size", () => {
    using source = open();
    expect([source.name, source.size]).toEqual(["nine.bin", 9]);
  });

  it.each([
    ["the first bytes", 0, 3, [1, 2, 3]],
    ["the last byte", 8, 1, [9]],
    ["what there is at the end", 7, 4, [8, 9]],
    ["nothing past the end", 12, 4, []],
    ["nothing when nothing is asked for", 3, 0, []],
  ])("gives %s", (_what, offset, length, expected) => {
    using source = open();
    const into = new Uint8Array(length);
    const read = source.read(offset, into);
    expect([...into.subarray(0, read)]).toEqual(expected);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])("refuses the offset %s", (offset) => {
    using source = open();
    expect(() => source.read(offset, new Uint8Array(1))).toThrow(RangeError);
  });
});

describe("FileSource", () => {
  it("reads on both sides of 4 GiB", () => {
    const large = join(folder, "large.bin");
    const descriptor = openSync(large, "w");
    ftruncateSync(descriptor, 0x1_4000_0000);
    writeSync(descriptor, Uint8Array.of(0xaa, 0xbb), 0, 2, 0xffff_ffff);
    closeSync(descriptor);
    using source = openFile(large);
    const into = new Uint8Array(4);
    expect([source.size, source.read(0xffff_fffe, into), ...into]).toEqual([
      0x1_4000_0000, 4, 0, 0xaa, 0xbb, 0,
    ]);
  });

  it("reads the same few bytes at a time, here and there, as all at once", () => {
    const whole = Uint8Array.from({ length: 0x3005 }, (_, i) => (i * 31) >>> 3);
    const large = join(folder, "large.bin");
    writeFileSync(large, whole);
    using source = openFile(large);
    for (let i = 0; i < 2000; i++) {
      const offset = (i * 7919) % whole.length;
      const into = new Uint8Array(i % 5000).fill(0xee);
      const want = whole.subarray(offset, offset + into.length);
      expect(source.read(offset, into)).toBe(want.length);
      expect(into.subarray(0, want.length)).toEqual(want);
      expect(into.subarray(want.length).every((byte) => byte === 0xee)).toBe(true);
    }
  });

  it("says that there is no such file", () => {
    expect(() => openFile(join(folder, "none.dmp"))).toThrow(expect.objectContaining({ problem: "missing" }));
  });

  it("says that a path through a file leads nowhere", () => {
    expect(() => openFile(join(path, "x.dmp"))).toThrow(expect.objectContaining({ problem: "missing" }));
  });

  it("says that a directory is a directory, and what to do", () => {
    expect(() => openFile(folder)).toThrow(
      expect.objectContaining({
        problem: "directory",
        message: `${folder}: this is a directory; name the file in it`,
      }),
    );
  });

  it.skipIf(process.platform === "win32")("refuses a pipe at once, though nobody writes to it", () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    expect(() => openFile(pipe)).toThrow(expect.objectContaining({ problem: "not-a-file" }));
  });

  it("refuses to read once closed, and closes twice without harm", () => {
    const source = openFile(path);
    source[Symbol.dispose]();
    source[Symbol.dispose]();
    expect(() => source.read(0, new Uint8Array(1))).toThrow("nine.bin was closed");
  });
});

describe("BlobSource", () => {
  it("says what to pass where a Blob cannot be read synchronously", () => {
    expect(() => new BlobSource(new Blob([nine]))).toThrow("new Uint8Array(await blob.arrayBuffer())");
  });

  it("takes the name of a File", () => {
    vi.stubGlobal("FileReaderSync", ReaderOfParts);
    using source = new BlobSource(new File([nine], "MEMORY.DMP"));
    expect(source.name).toBe("MEMORY.DMP");
  });

  // every slice costs a browser as much, whether it has 4 KB or 256 KB
  it("of 30 GB is read in slices, near bytes with one, and keeps some megabytes at most", () => {
    const sizes: number[] = [];
    const size = 30 * 2 ** 30;
    vi.stubGlobal(
      "FileReaderSync",
      class {
        /** Every byte says in which 64 KB it stands. */
        readAsArrayBuffer({ start, end }: { start: number; end: number }): ArrayBuffer {
          sizes.push(end - start);
          return Uint8Array.from({ length: end - start }, (_, i) => (start + i) / 0x10000).buffer;
        }
      },
    );
    using source = new BlobSource({
      size,
      slice: (start, end) => ({ size: end - start, start, end, slice: null! }),
    });
    const bytes = (offset: number, length: number): readonly number[] => {
      const into = new Uint8Array(length);
      return [...into.subarray(0, source.read(offset, into))];
    };
    expect(bytes(0x3fffe, 4)).toEqual([3, 3, 4, 4]);
    for (let page = 0; page < 128; page++) expect(bytes(page * 0x1000, 1)).toEqual([page >> 4]);
    expect(sizes).toEqual([0x40000, 0x40000]);
    expect(bytes(size - 2, 4)).toEqual([0xff, 0xff]);
    expect(source.read(0x40000, new Uint8Array(0x50001))).toBe(0x50001);
    expect(sizes.slice(2)).toEqual([0x40000, 0x50001]);
    for (let at = 0; at < 128; at++) bytes(2 ** 32 + at * 0x40000, 1);
    sizes.length = 0;
    expect([bytes(0, 1), bytes(2 ** 32 + 127 * 0x40000, 1)]).toEqual([[0], [0xfc]]);
    expect(sizes).toEqual([0x40000]);
  });

  it("is a FileError where the browser refuses, or gives less than there was", () => {
    vi.stubGlobal(
      "FileReaderSync",
      class {
        readAsArrayBuffer({ size }: Blob): ArrayBuffer {
          if (size === 9) throw new DOMException("The requested file could not be read", "NotReadableError");
          return new ArrayBuffer(3);
        }
      },
    );
    for (const blob of [new File([nine], "gone.dmp"), new File([nine, nine], "gone.dmp")]) {
      using source = new BlobSource(blob);
      expect(() => source.read(0, new Uint8Array(1))).toThrow(
        expect.objectContaining({ name: "FileError", path: "gone.dmp", problem: "unreadable" }),
      );
    }
  });
});

describe("readAt", () => {
  it.each([4, 2 ** 53, 2 ** 64])("gives nothing from %s on, behind the end", (at) => {
    expect(readAt(new BytesSource(new Uint8Array(4)), at, 8).length).toBe(0);
  });
});
