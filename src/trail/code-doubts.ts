import type { Va } from "../core/address.ts";

/** Why a listing is not what it seems. */
export type ListingDoubt =
  | { readonly kind: "not-decoded"; readonly machine: string }
  | { readonly kind: "no-module" }
  | { readonly kind: "no-headers"; readonly problem: Error }
  | { readonly kind: "not-code" }
  | { readonly kind: "no-function" }
  /** The address is not where an instruction starts. */
  | { readonly kind: "inside-instruction"; readonly start: Va }
  | { readonly kind: "shared"; readonly entries: readonly Va[] }
  /** Bytes that a PE file given by the user gave, and not the dump. */
  | { readonly kind: "from-file"; readonly bytes: number }
  | { readonly kind: "not-followed" }
  | { readonly kind: "cut"; readonly bytes: number };
