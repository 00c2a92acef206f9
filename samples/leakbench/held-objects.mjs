import { fileTime } from "../writer/kernel.mjs";
import { usualHandles } from "../writer/objects.mjs";

/**
 * Objects that somebody holds, on a machine whose processes have handle tables.
 *
 * @typedef {{ type: string, bytes: number, live: number, holders?: Readonly<Record<string, number>>, same?: boolean, innocent?: Readonly<Record<string, readonly [type: string, bytes: number, count: number]>> }} Held
 *   bytes: of an object's body. live: how many objects there are. holders: how many handles each process of an image
 *   has to them, object after object; one that no handle reaches is held by a reference. same: all handles lead to the
 *   first. Processes that are held, and those whose threads are, have ended: they are children of the first holder.
 *   innocent: processes that have many handles of another type, by image name
 * @typedef {import("../writer/kernel.mjs").ProcessSpec} ProcessSpec
 * @typedef {{ process: bigint, threads: readonly bigint[] }} Made
 */

/** Just after the machine started, by the time and the up time of `System`. */
const BOOT = 1_699_523_500;
/** Types whose objects are processes that have ended, or parts of them. */
const OF_PROCESSES = new Set(["Process", "Thread"]);

/**
 * The processes of such a machine: those given, the holders that are not among them, and the dead.
 * @param {readonly ProcessSpec[]} processes System first @param {Held} held @returns {ProcessSpec[]}
 */
export function withHolders(processes, { type, live, holders = {} }) {
  const named = new Set(processes.map(({ name }) => name));
  const more = Object.keys(holders)
    .filter((name) => !named.has(name))
    .map((name, i) => ({ pid: 4000 + i * 44, name }));
  const alive = [...processes, ...more];
  const services = alive.find(({ name }) => name === "services.exe")?.pid ?? 4;
  const [first = "services.exe"] = Object.keys(holders);
  const parent = alive.find(({ name }) => name === first)?.pid ?? services;
  const listed = alive.map((spec, i) => ({
    ...spec,
    details: { parent: i === 0 ? 0 : i < 4 ? 4 : services, created: fileTime(BOOT + i) },
  }));
  if (!OF_PROCESSES.has(type)) return listed;
  const dead = Array.from({ length: live }, (_, i) => ({
    pid: 8000 + i * 4,
    name: "cmd.exe",
    ...(type === "Thread" ? { threads: [{ stackBase: 0n, stackSize: 0 }] } : {}),
    details: { parent, created: fileTime(BOOT + 1000 + i * 30), exited: fileTime(BOOT + 1010 + i * 30) },
  }));
  return [...listed, ...dead];
}

/**
 * Gives the processes their handles.
 * @param {import("../writer/objects.mjs").ObjectWriter} writer @param {readonly Made[]} made @param {readonly ProcessSpec[]} specs @param {Held} held
 */
export function writeHeld(
  writer,
  made,
  specs,
  { type, bytes, live, holders = {}, same = false, innocent = {} },
) {
  const dead = OF_PROCESSES.has(type) ? live : 0;
  const ended = made.slice(made.length - dead);
  const bodies =
    dead > 0
      ? ended.map(({ process, threads: [thread] }) =>
          type === "Thread" && thread !== undefined ? thread : process,
        )
      : Array.from({ length: live }, () => writer.object(type, bytes));
  const handlesTo = new Map();
  let next = 0;
  const leaked = (/** @type {number} */ count) =>
    Array.from({ length: count }, () => {
      const object = /** @type {bigint} */ (bodies[same ? 0 : next++ % live]);
      handlesTo.set(object, (handlesTo.get(object) ?? 0) + 1);
      return { type, object };
    });
  for (const [i, spec] of specs.slice(0, specs.length - dead).entries()) {
    const [other, size, many] = innocent[spec.name] ?? ["Event", 0, 0];
    const others = Array.from({ length: many }, () => ({
      type: other,
      object: writer.object(other, size, { handles: 1 }),
    }));
    writer.handleTable(/** @type {Made} */ (made[i]).process, spec.pid, [
      ...usualHandles(writer),
      ...others,
      ...leaked(holders[spec.name] ?? 0),
    ]);
  }
  // a handle takes references in advance from Windows 8 on
  for (const [object, handles] of handlesTo)
    writer.setCounts(object, writer.machine.build >= 9200 ? 0x7fff * handles : handles + 1, handles);
}
