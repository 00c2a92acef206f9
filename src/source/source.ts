/**
 * Random access to bytes that stay as they are. Reading is synchronous: a page walk is four
 * dependent reads.
 */
export interface ByteSource extends Disposable {
  /** The file's name, for messages. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Fills `into` from `offset` on.
   *
   * @returns how many bytes there were; fewer than asked for only at the end
   */
  read(offset: number, into: Uint8Array): number;
}
