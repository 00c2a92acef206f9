import type { Bytes } from "../core/bytes.ts";
import { readStruct, toAddress } from "../core/kaitai.ts";
import { MAX_VMWARE_GROUPS, MAX_VMWARE_TAGS } from "../core/limits.ts";
import { asciiZ } from "../core/text.ts";
import { VmwareState } from "../generated/vmware_state.js";
import { type ByteSource, readAt } from "../source/source.ts";

/** What a state holds, as far as it is read. */
export interface VmwareTags {
  readonly tags: readonly VmwareTag[];
  readonly notes: readonly string[];
}

/** One value of a machine's state. */
export interface VmwareTag {
  readonly group: string;
  readonly name: string;
  readonly indices: readonly number[];
  /** Of a small value its bytes; of a block where it stands. */
  readonly value: Uint8Array | VmwareBlock;
}

/** A large value, which is not read with the others. */
export interface VmwareBlock {
  /** Where its bytes begin in the file. */
  readonly offset: number;
  /** In bytes, as it stands in the file. */
  readonly length: number;
  readonly packed: boolean;
}

/** What such files start with: of 64-bit state, of one whose memory is elsewhere, and of one that was restored. */
const MAGICS: ReadonlySet<number> = new Set([0xbed2bed2, 0xbed3bed3, 0xbad1bad1, 0xbad2bad2]);
const HEADER_SIZE = 12;
const GROUP_SIZE = 80;
const BLOCK_SIZE = 18;
const VALUE_BITS = 0x3f;
const PACKED_BLOCK = 62;
const BLOCK = 63;
/** Bytes that a tag has in front of its value at most. */
const TAG_HEAD = 2 + 255 + 3 * 4;

/** Whether a file is the state of a machine. */
export function isVmwareState(head: Bytes): boolean {
  return head.length >= HEADER_SIZE && MAGICS.has(head.u32(0, "the signature"));
}

/**
 * The values of the groups that are asked for. The sizes of groups are not trusted: each ends with a tag of 0, or with the
 * file.
 *
 * @throws {FormatError} the file ends in the table of groups
 */
export function readVmwareState(source: ByteSource, groups: ReadonlySet<string>): VmwareTags {
  const { groupCount } = readStruct(VmwareState.Header, readAt(source, 0, HEADER_SIZE), "the header");
  const count = Math.min(groupCount, MAX_VMWARE_GROUPS);
  const notes =
    count < groupCount
      ? [`only the first ${count} of ${groupCount} groups of the machine's state are read`]
      : [];
  const tags: VmwareTag[] = [];
  for (let i = 0; i < count; i++) {
    const row = readAt(source, HEADER_SIZE + i * GROUP_SIZE, GROUP_SIZE);
    const raw = readStruct(VmwareState.Group, row, "a group of the machine's state");
    const name = asciiZ(raw.name);
    if (!groups.has(name)) continue;
    for (const tag of tagsIn(source, name, Number(toAddress(raw.position)))) {
      if (tags.length === MAX_VMWARE_TAGS) {
        return {
          tags,
          notes: [...notes, `only the first ${MAX_VMWARE_TAGS} values of the machine's state are read`],
        };
      }
      tags.push(tag);
    }
  }
  return { tags, notes };
}

function* tagsIn(source: ByteSource, group: string, start: number): Generator<VmwareTag> {
  for (let at = start; at + 2 <= source.size; ) {
    const head = readAt(source, at, TAG_HEAD + VALUE_BITS);
    const flags = head.u8(0, "a tag");
    const nameLength = head.u8(1, "a tag");
    if (flags === 0 && nameLength === 0) return;
    const indexCount = flags >>> 6;
    const valueAt = 2 + nameLength + indexCount * 4;
    if (head.length < valueAt) return;
    const name = asciiZ(head.array.subarray(2, 2 + nameLength));
    const indices = Array.from({ length: indexCount }, (_, i) =>
      head.u32(2 + nameLength + i * 4, "an index"),
    );
    const size = flags & VALUE_BITS;
    if (size < PACKED_BLOCK) {
      yield { group, name, indices, value: head.array.slice(valueAt, valueAt + size) };
      at += valueAt + size;
      continue;
    }
    const block = readAt(source, at + valueAt, BLOCK_SIZE);
    if (block.length < BLOCK_SIZE) return;
    const raw = readStruct(VmwareState.Block, block, "a block");
    const offset = at + valueAt + BLOCK_SIZE + raw.padding;
    const length = Number(toAddress(raw.fileSize));
    yield { group, name, indices, value: { offset, length, packed: size !== BLOCK } };
    at = offset + length;
  }
}
