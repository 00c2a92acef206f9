import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { Progress, type Terminal } from "../../src/cli/progress.ts";

/** A terminal that keeps what is written to it, and a clock that is set by hand. */
function terminal({ isTTY = true, columns = 80 } = {}) {
  const written: string[] = [];
  const stream: Terminal = Object.assign(
    new Writable({
      write(chunk, _, done) {
        written.push(String(chunk));
        done();
      },
    }),
    { isTTY, columns },
  );
  const clock = { now: 0 };
  return { stream, written, clock, now: () => clock.now };
}

it("says nothing for half a second, then how far it is, how fast, and what is left", () => {
  const { stream, written, clock, now } = terminal();
  const progress = new Progress(stream, false, now);
  clock.now = 400;
  progress.tell("nt", 4, 200);
  expect(written).toEqual([]);
  clock.now = 1000;
  progress.tell("ntfs", 10, 200);
  clock.now = 1050;
  progress.tell("tcpip", 11, 200);
  clock.now = 2000;
  progress.tell("fltmgr", 100, 200);
  progress.clear();
  expect(written).toEqual([
    "\r10/200 modules, 10/s, 19 s left: ntfs",
    "\r100/200 modules, 50/s, 2 s left: fltmgr",
    `\r${" ".repeat("100/200 modules, 50/s, 2 s left: fltmgr".length)}\r`,
  ]);
});

it("counts anew where the next round through the modules begins, and tells minutes", () => {
  const { stream, written, clock, now } = terminal();
  const progress = new Progress(stream, false, now);
  clock.now = 1000;
  progress.tell("a", 200, 200);
  clock.now = 2000;
  progress.tell("b", 0, 200);
  clock.now = 4000;
  progress.tell("c", 1, 200);
  expect(written.map((text) => text.trim())).toEqual([
    "200/200 modules, 200/s, 0 s left: a",
    "0/200 modules: b",
    "1/200 modules, 0.5/s, 6:38 min left: c",
  ]);
});

it("keeps to the terminal's width, and takes its line away before a shorter one", () => {
  const { stream, written, clock, now } = terminal({ columns: 20 });
  const progress = new Progress(stream, false, now);
  clock.now = 1000;
  progress.tell("a\u001b[2Jvery-long-name", 1, 2);
  expect(written[0]).toBe("\r1/2 modules, 1.0/s,");
});

it.each([
  ["a pipe", { isTTY: false }, false],
  ["--quiet", {}, true],
])("says nothing for %s", (_, options, quiet) => {
  const { stream, written, clock, now } = terminal(options);
  const progress = new Progress(stream, quiet, now);
  clock.now = 5000;
  progress.tell("nt", 1, 2);
  progress.clear();
  expect(written).toEqual([]);
});
