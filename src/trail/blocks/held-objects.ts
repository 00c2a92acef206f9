import type { Va } from "../../core/address.ts";
import type { ObjectHeader, ObjectHeaders } from "../../kernel/object-headers.ts";
import type { PoolKernel } from "../../pool/pool-kernel.ts";
import type { PoolPlaces } from "../../pool/pool-places.ts";
import { findTagBlocks, type PoolSearch, type SearchBudget } from "./tag-blocks.ts";

/** What the blocks of an object's tag say of who holds the objects: of those that were looked at. */
export interface HeldObjects {
  readonly search: PoolSearch;
  /** Blocks that hold an object of the tag's type, and those that hold something else. */
  readonly objects: number;
  readonly others: number;
  /** Objects to which there are handles, and the handles. */
  readonly withHandles: number;
  readonly handles: number;
  /** Objects that no handle leads to, and that stay by references: of the kernel, or of a driver. */
  readonly byReference: number;
  /** References to those: of other objects they cannot be told, since handles take some in advance. */
  readonly references: number;
  /** Some of the objects that stay by references, and of those to which there are handles. */
  readonly examples: { readonly byReference: readonly Va[]; readonly withHandles: readonly Va[] };
}

/** Objects that are kept as examples. */
const EXAMPLES = 16;

/**
 * Looks at the objects in the blocks of a tag. An object is one whose header says what most of them say.
 *
 * @param key the tag's four bytes
 * @param onObject told what can be an object, with what its header says
 */
export function readHeldObjects(
  kernel: PoolKernel,
  headers: ObjectHeaders,
  key: number,
  places: PoolPlaces,
  {
    onObject,
    ...budget
  }: SearchBudget & { readonly onObject?: (body: Va, header: ObjectHeader) => void } = {},
): HeldObjects {
  const kinds = new Map<number, Sum>();
  let blocks = 0;
  const search = findTagBlocks(
    kernel,
    key,
    places,
    ({ start }) => {
      blocks++;
      for (const { body, header } of headers.inBlock(start)) {
        let sum = kinds.get(header.kind);
        if (sum === undefined) {
          sum = new Sum();
          kinds.set(header.kind, sum);
        }
        sum.add(body, header);
        onObject?.(body, header);
      }
    },
    budget,
  );
  const [most = new Sum()] = [...kinds.values()].sort((a, b) => b.objects - a.objects);
  const { objects, withHandles, handles, byReference, references, examples } = most;
  return {
    search,
    objects,
    others: blocks - objects,
    withHandles,
    handles,
    byReference,
    references,
    examples,
  };
}

class Sum {
  objects = 0;
  withHandles = 0;
  handles = 0;
  byReference = 0;
  references = 0;
  readonly examples = { byReference: [] as Va[], withHandles: [] as Va[] };

  add(body: Va, { handleCount, pointerCount }: ObjectHeader): void {
    this.objects++;
    if (handleCount > 0) {
      this.withHandles++;
      this.handles += handleCount;
      if (this.examples.withHandles.length < EXAMPLES) this.examples.withHandles.push(body);
    } else if (pointerCount > 0) {
      this.byReference++;
      this.references += pointerCount;
      if (this.examples.byReference.length < EXAMPLES) this.examples.byReference.push(body);
    }
  }
}
