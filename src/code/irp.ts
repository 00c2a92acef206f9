import type { Atom } from "./abstract-value.ts";
import { namesOf } from "./callees.ts";
import type { DataFlow } from "./data-flow.ts";

/**
 * By the size of pointers: Tail.Overlay.CurrentStackLocation of an IRP, and OriginalFileObject; the size of a stack
 * location, and where its FileObject stands in it, and the routine that is called on completion, with its context behind.
 *
 * @see IRP and IO_STACK_LOCATION (wdm.h)
 */
const LAYOUT: Readonly<
  Record<4 | 8, { current: number; file: number; size: number; object: number; routine: number }>
> = {
  4: { current: 0x60, file: 0x64, size: 0x24, object: 0x18, routine: 0x1c },
  8: { current: 0xb8, file: 0xc0, size: 0x48, object: 0x30, routine: 0x38 },
};

const MAKERS = /^Io(?:AllocateIrp|AllocateIrpEx|MakeAssociatedIrp|Build\w+Request)$/;

/**
 * Whether what stands at an address is only used by whoever gets the IRP: the file object of an IRP that the function
 * made, or a parameter of the next driver. Its completion routine finds its context, and nothing of these.
 */
export function isLentByIrp(flows: DataFlow, pointer: Atom): boolean {
  if (pointer.kind !== "offset") return false;
  if (pointer.of.kind === "offset") {
    const { of, offset } = pointer.of;
    return isLentByIrp(flows, { ...pointer, of, offset: offset + pointer.offset });
  }
  const { current, file, size, routine } = LAYOUT[flows.image.code.set.abi.pointerSize];
  const { of, offset } = pointer;
  if (of.kind === "field" && of.offset === current) return offset >= -size && offset < routine - size;
  if (of.kind !== "result" || offset !== file) return false;
  const [from] = flows.image.functions.owning(of.call);
  const site = from === undefined ? undefined : flows.siteAt(from, of.call);
  return (
    site !== undefined &&
    flows.callees.of(site).some((callee) => namesOf(callee).some((name) => MAKERS.test(name)))
  );
}

/** Whether something stands in the file object of a request, and in no structure of a driver's own. */
export function isOfFileObject(atom: Atom, pointerSize: 4 | 8): boolean {
  const { current, object } = LAYOUT[pointerSize];
  const file = atom.kind === "field" ? atom.of : undefined;
  const location = file?.kind === "field" && file.offset === object ? file.of : undefined;
  return location?.kind === "field" && location.offset === current;
}

/**
 * Whether a function makes the next stack location of an IRP the current one, as IoSetNextIrpStackLocation does: what it
 * puts there is for its own completion routine.
 */
export function movesStackLocation(flows: DataFlow, at: number): boolean {
  const { pointerSize } = flows.image.code.set.abi;
  const { current } = LAYOUT[pointerSize];
  const [from] = flows.image.functions.owning(at);
  if (from === undefined) return false;
  return flows.of(from).events.some(({ kind, behind, instruction: { operands } }) => {
    const [to] = operands;
    return (
      kind === "store" &&
      behind !== undefined &&
      to?.kind === "memory" &&
      to.displacement === current &&
      to.size === pointerSize
    );
  });
}
