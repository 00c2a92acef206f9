/** What was looked for is not there, or cannot be told: why, as a program tests it and as a person reads it. */
export interface Absent<Why extends string> {
  readonly missing: Why;
  /** A sentence without its full stop. */
  readonly reason: string;
}
