import type { FormatError, MemoryFault } from "../core/errors.ts";

/** A record that an image may have: "it has none" is another answer than "it could not be read". */
export type Finding<T> =
  | { readonly state: "present"; readonly value: T }
  | { readonly state: "absent" }
  | { readonly state: "unreadable"; readonly reason: MemoryFault | FormatError };
