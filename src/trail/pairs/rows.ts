import type { Acquirer, Condition, FieldOffset, Gives, Release } from "./pair.ts";

export const RETURNED: Gives = { by: "return" };
export const out = (argument: number, offset?: FieldOffset): Gives => ({
  by: "out",
  argument,
  ...(offset === undefined ? {} : { offset }),
});
/** The caller's structure at the argument holds it. */
export const inside = (argument: number): Gives => ({ by: "structure", argument });
/** The argument is the object. */
export const onto = (argument: number): Gives => ({ by: "argument", argument });

export const isZero = (argument: number): Condition => ({ argument, is: "zero" });
export const isSet = (argument: number): Condition => ({ argument, is: "nonzero" });

export function by(argument: number, ...names: readonly string[]): readonly Release[] {
  return names.map((name) => ({ name, argument }));
}
/** Releases that take the address of the structure or variable that holds what was acquired. */
export function byAddress(argument: number, ...names: readonly string[]): readonly Release[] {
  return names.map((name) => ({ name, argument, takes: "address" }));
}

type Common = Pick<Acquirer, "fails" | "releases" | "what">;
type More = Partial<
  Pick<
    Acquirer,
    "anyObject" | "duties" | "fails" | "releases" | "source" | "tagArgument" | "tags" | "what" | "when"
  >
>;
/** Name, how many arguments, where it comes out, header of its page, and what the group does not say. */
export type Row = readonly [
  name: string,
  arguments: number,
  gives: Gives,
  header: string,
  tag?: string,
  more?: More,
];

/** Rows that share how they fail, what releases them and what it is. An empty tag is none. */
export function group(common: Common, rows: readonly Row[]): readonly Acquirer[] {
  return rows.map(([name, count, gives, header, tag = "", more = {}]) => ({
    name,
    arguments: count,
    gives,
    ...common,
    tags: tag === "" ? [] : [tag],
    source: `${name} (${header})`,
    ...more,
  }));
}

/**
 * The same rows under their Nt names, too: system services are exported under both, and drivers may call either.
 *
 * @see Windows driver documentation, "Using Nt and Zw Versions of the Native System Services Routines"
 */
export function withNtNames(rows: readonly Acquirer[]): readonly Acquirer[] {
  const names = new Set(rows.map((row) => row.name));
  const twins = rows.flatMap((row) => {
    const name = row.name.replace(/^Zw/, "Nt");
    return names.has(name) ? [] : [{ ...row, name }];
  });
  return [...rows, ...twins];
}
