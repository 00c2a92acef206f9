import { join } from "node:path";
import { expect, it } from "vitest";
import { CONTAINERS, containerMachine } from "../../bench/containers.mjs";
import { BytesSource, type FileInput, openDump } from "../../src/index.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const made = containerMachine("x64");
const files = CONTAINERS["VMware, two files"]!(made);
const [memory, state] = [files["guest.vmem"]!, files["guest.vmss"]!];
const modules = made.system.images.size;
const folder = temporaryFolder();

/** Whether the holes of the `.vmem` are put back by its `.vmss`: the container says how many processors there are. */
function opened(input: FileInput | readonly FileInput[]): { modules: number; processors: number | null } {
  using dump = openDump(input);
  const info = dump.info();
  return {
    modules: info.modules,
    processors: info.sources.processors === "state" ? info.processors : null,
  };
}

const both = { modules, processors: made.system.machine.processors };

it("opens a memory with its state, given as bytes, in either order", () => {
  expect(opened([new BytesSource(memory, "a.vmem"), new BytesSource(state, "a.vmss")])).toEqual(both);
  expect(opened([new BytesSource(state, "a.vmss"), new BytesSource(memory, "a.vmem")])).toEqual(both);
  // bytes have no names
  expect(opened([state, memory])).toEqual(both);
});

it("finds the state beside a memory that is given by its path, and takes one given with it from elsewhere", () => {
  const path = folder.file("guest.vmem", memory);
  folder.file("guest.VMSS", state);
  const alone = folder.file("alone.vmem", memory);
  expect(opened(path)).toEqual(both);
  expect(opened(alone)).toEqual({ modules, processors: null });
  expect(opened([alone, join(folder.path, "guest.VMSS")])).toEqual(both);
});

it("says what is missing where a state has no memory with it", () => {
  expect(() => openDump(state)).toThrow(
    expect.objectContaining({
      name: "FormatError",
      expected: "in this file or in the .vmem beside it",
      found: "neither; keep both files together",
    }),
  );
  expect(() => openDump([])).toThrow(TypeError);
});
