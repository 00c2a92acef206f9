/** An argument of the caller's own that is nothing that is taken. Faults of the code itself are never told as one. */
export class ArgumentTypeError extends TypeError {}

/** An argument of the caller's own that is past what there is, or what is exact. */
export class ArgumentRangeError extends RangeError {}

export function isArgumentError(error: unknown): error is ArgumentTypeError | ArgumentRangeError {
  return error instanceof ArgumentTypeError || error instanceof ArgumentRangeError;
}
