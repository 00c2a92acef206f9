/** How much of an image could be read: what was not read cannot be ruled out. */
export interface Coverage {
  readonly module: string;
  /** In bytes, from the dump or from a file given for it. */
  readonly readable: number;
  /** SizeOfImage in bytes. */
  readonly size: number;
  /** Those of `readable` that a PE file given by the user filled in. */
  readonly fromFile: number;
}
