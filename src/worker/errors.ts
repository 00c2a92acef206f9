import { QuestionError } from "../api/question-error.ts";
import { FormatError, type FormatProblem, MemoryError, type MemoryFault } from "../core/errors.ts";
import { FileError, type FileProblem } from "../source/file-error.ts";

/** An error as it can be sent, with what its kind knows. */
export type PlainError = { readonly message: string; readonly stack: string | undefined } & (
  | { readonly kind: "format"; readonly problem: FormatProblem }
  | { readonly kind: "memory"; readonly fault: MemoryFault; readonly bytesRead: number }
  | { readonly kind: "file"; readonly path: string; readonly problem: FileProblem }
  | { readonly kind: "question"; readonly command: QuestionError["command"] }
  | { readonly kind: "TypeError" | "RangeError" | "Error" }
);

export function plainError(thrown: unknown): PlainError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { message, stack } = error;
  if (error instanceof FormatError) {
    const { file, offset, field, expected, found } = error;
    return { message, stack, kind: "format", problem: { file, offset, field, expected, found } };
  }
  if (error instanceof MemoryError) {
    return { message, stack, kind: "memory", fault: error.fault, bytesRead: error.bytesRead };
  }
  if (error instanceof FileError) {
    return { message, stack, kind: "file", path: error.path, problem: error.problem };
  }
  if (error instanceof QuestionError) return { message, stack, kind: "question", command: error.command };
  if (error instanceof TypeError) return { message, stack, kind: "TypeError" };
  return { message, stack, kind: error instanceof RangeError ? "RangeError" : "Error" };
}

/** The error of the class that the worker threw, with its stack. */
export function errorOf(plain: PlainError): Error {
  const error = errorOfKind(plain);
  error.message = plain.message;
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}

function errorOfKind(plain: PlainError): Error {
  switch (plain.kind) {
    case "format":
      return new FormatError(plain.problem);
    case "memory":
      return new MemoryError(plain.fault, plain.bytesRead);
    case "file":
      return new FileError(plain.path, plain.problem, "");
    case "question":
      return new QuestionError(plain.message, plain.command);
    case "TypeError":
      return new TypeError(plain.message);
    case "RangeError":
      return new RangeError(plain.message);
    case "Error":
      return new Error(plain.message);
  }
}
