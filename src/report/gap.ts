/** A hole or an early end, in words, with the kind that a program tests. */
export interface Gap {
  readonly kind: string;
  readonly detail: string;
}
