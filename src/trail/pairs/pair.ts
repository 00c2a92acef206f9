import type { Fails as FailsInCode } from "../../code/fates.ts";
import type { Abi } from "../../isa/abi.ts";

/** Bytes into a structure; both where 32-bit and 64-bit code lay it out differently. */
export type FieldOffset = number | { readonly 4: number; readonly 8: number };

export function fieldOffset(offset: FieldOffset, { pointerSize }: Abi): number {
  return typeof offset === "number" ? offset : offset[pointerSize];
}

/**
 * Where what a call acquires comes out. Arguments count from 1, as the documentation shows them; those of the
 * framework's functions (Wdf…) count its globals, which every call passes first, as number 1.
 */
export type Gives =
  /** The value returned. */
  | { readonly by: "return" }
  /** The call writes it where the argument points to, `offset` bytes into that structure. */
  | { readonly by: "out"; readonly argument: number; readonly offset?: FieldOffset }
  /** The caller's structure at the argument holds it, and the release takes that structure's address. */
  | { readonly by: "structure"; readonly argument: number }
  /** The argument itself is an object that gets one more reference or registration. */
  | { readonly by: "argument"; readonly argument: number };

/**
 * How a call says that it acquired nothing.
 *
 * - `null`: what comes out is 0, whether returned or written
 * - `status`: the returned NTSTATUS is negative
 * - `nonzero`: anything but 0 is returned (NDIS_STATUS, VP_STATUS, STOR_STATUS, DWORD errors)
 * - `false`: the returned BOOLEAN is 0
 * - `done`: anything but STATUS_PENDING is returned: what was asked for is done, or failed
 * - `never`: it cannot fail, or raises an exception instead
 * - `only`: anything but this one error is returned
 * - a number: nonzero status written through that argument (NDIS 5)
 */
export type Fails = Exclude<FailsInCode, "unknown"> | { readonly status: number };

/** What an argument must be, or what stands `at` in the structure that it points to. A BOOLEAN counts with its low eight bits only. */
export interface Condition {
  readonly argument: number;
  readonly at?: FieldOffset;
  readonly is:
    | "zero"
    | "nonzero"
    | { readonly equals: number }
    | { readonly noneOf: readonly number[] }
    /** All of these bits are set. */
    | { readonly bits: number }
    /** None of these bits is set. */
    | { readonly clear: number };
}

/** A function that gives back, and through which argument. */
export interface Release {
  readonly name: string;
  readonly argument: number;
  /**
   * What it is handed: what was acquired (`value`, where nothing is said), the address of the caller's structure
   * or variable that holds it (`address`), or the value that stands so many bytes into that structure; of one that was
   * learnt from code the address of what it stands `behind` in, so many bytes further on.
   */
  readonly takes?: "value" | "address" | { readonly field: FieldOffset } | { readonly behind: number };
  /** It is a release only then: one export that does several things by a number. */
  readonly when?: readonly Condition[];
}

/** Who else gives it back, as documented, so that the caller need not. */
export interface Duty {
  readonly keeper: /** The I/O manager, when the IRP that it belongs to completes. */
    | "io-manager"
    /** The filter manager, when the operation completes whose parameters a minifilter exchanged. */
    | "filter-manager"
    /** The PnP manager, which drops the references of a DEVICE_RELATIONS it was answered. */
    | "pnp-manager"
    /** The object's parent, when that is deleted. */
    | "parent"
    /** The library that gave it, when what it was taken from ends. */
    | "library";
  readonly when?: readonly Condition[];
  /** Only where what was acquired is of one of these tags: the type has to be told, or may be no other. */
  readonly tags?: readonly string[];
  /** Only where the caller fills something whose address goes into this field of an IRP. */
  readonly irpField?: FieldOffset;
  /** Only where the caller puts it there: into the IRP that it was given, into one whose buffer is freed with it, into the parameters of an operation. */
  readonly putInto?: "irp" | "freed-buffer" | "parameters";
}

export type Acquired =
  | "memory"
  /** A counted string, or the memory of one. */
  | "string"
  | "reference"
  | "handle"
  | "object"
  /**
   * Stays until it is undone by another routine (cleanup, remove, unload), and need not be stored for that: a way
   * that ends without the release says nothing, only a driver that has none at all.
   */
  | "registration"
  /** A structure of the caller's that the kernel links in or hangs memory on; undone elsewhere like a registration. */
  | "list-head";

/** A function after which something must be given back. */
export interface Acquirer {
  /** As exported, without the decoration of 32-bit images. */
  readonly name: string;
  /** How many arguments there are; those of 64 bits count once (see `argumentWord`). */
  readonly arguments: number;
  readonly gives: Gives;
  readonly fails: Fails;
  /** Any one of them balances it. */
  readonly releases: readonly Release[];
  /** What it makes grow; none where the tag is the caller's own, follows the object's type, or is not published. */
  readonly tags: readonly string[];
  /** The argument that names the caller's own tag; code/allocators.ts has those of the plain allocators. */
  readonly tagArgument?: number;
  readonly what: Acquired;
  /** For objects of any type: the arguments that tell the type, or whose handle or object tells it. */
  readonly anyObject?: {
    readonly typeArgument?: number;
    readonly handleArgument?: number;
    readonly objectArgument?: number;
  };
  /** It acquires only when all of these hold. */
  readonly when?: readonly Condition[];
  readonly duties?: readonly Duty[];
  /** Page of the Windows driver documentation. */
  readonly source: string;
}
