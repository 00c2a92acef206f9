import { isCarrier, objectOf } from "./held-tags.ts";
import type { CountGroup, GroupMember } from "./tag-groups.ts";

/** Why one of the tags is the cause, and the others its shadows. */
export type LeaderReason =
  /** It alone never frees. */
  | "never-frees"
  /** It is of objects, and others of the tags are of what such an object has with it. */
  | "object"
  /** It alone is a third party's own: the kernel allocates the rest for that. */
  | "third-party"
  /** What it frees is far less than what the others free. */
  | "fewest-frees";

/** Tags whose counts go together, told apart into cause and shadows. */
export interface Lockstep {
  /** By count, the smallest first. */
  readonly members: readonly GroupMember[];
  /** Undefined where nothing tells which one comes first. */
  readonly leader: Leader | undefined;
}

export interface Leader {
  readonly tag: string;
  readonly key: number;
  readonly reason: LeaderReason;
  /** Third-party modules whose code allocates with it; empty where it is led by something else, or not looked for. */
  readonly owners: readonly string[];
}

/** More than half of what the leader took is still there, and at most a quarter of what each other took. */
const KEPT = { leader: 0.5, others: 0.25 } as const;
/** Tags of a group for which third parties are looked for: each takes a look at all their images. */
const MOST_LOOKED_UP = 8;

/**
 * Tells which tag of a group is the cause.
 *
 * @param ownersOf third-party modules whose code allocates with a tag; asked only where nothing else tells
 */
export function lockstepOf(
  { members, source }: CountGroup,
  ownersOf: (member: GroupMember) => readonly string[],
): Lockstep {
  return { members, leader: leaderOf(members, source, ownersOf) };
}

function leaderOf(
  members: readonly GroupMember[],
  source: GroupMember | undefined,
  ownersOf: (member: GroupMember) => readonly string[],
): Leader | undefined {
  const lead = ({ tag, key }: GroupMember, reason: LeaderReason, owners: readonly string[] = []): Leader => ({
    tag,
    key,
    reason,
    owners,
  });
  if (source !== undefined) return lead(source, "never-frees");
  const tags = members.map(({ tag }) => tag);
  const object = objectOf(tags);
  const first = members.find(({ tag }) => tag === object);
  if (first !== undefined) return lead(first, "object");
  if (members.length <= MOST_LOOKED_UP) {
    const owned = members.map((member) => ({ member, owners: ownersOf(member) }));
    const [only, another] = owned.filter(({ owners }) => owners.length > 0);
    // a driver's block for each object is freed with it: the object can be the cause as well
    const carrier = members.filter(({ tag }) => isCarrier(tag));
    if (only !== undefined && another === undefined) {
      if (carrier.length === 0) return lead(only.member, "third-party", only.owners);
      const [object, two] = carrier;
      if (object !== undefined && two === undefined && object !== only.member) return lead(object, "object");
    }
  }
  const kept = (one: GroupMember): number => one.outstanding / (one.outstanding + one.frees);
  const [most, next] = [...members].sort((a, b) => kept(b) - kept(a));
  return most !== undefined && next !== undefined && kept(most) >= KEPT.leader && kept(next) <= KEPT.others
    ? lead(most, "fewest-frees")
    : undefined;
}
