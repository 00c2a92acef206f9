import { FileError, FormatError, hex, MemoryError, QuestionError } from "pooltrail";
import { OutsideError } from "./folders.ts";
import { type Json, PartError } from "./page.ts";

/** What went wrong, as an assistant reads it: the fields of the library's errors, and what they say. */
export function problemOf(error: unknown): Json {
  const problem = { kind: "Error", message: String(error), ...fieldsOf(error) };
  const text = JSON.stringify(problem, (_, value) => (typeof value === "bigint" ? hex(value) : value));
  return { error: JSON.parse(text) };
}

function fieldsOf(error: unknown): object {
  if (!(error instanceof Error)) return {};
  const { message } = error;
  if (error instanceof FormatError) {
    const { file, offset, field, expected, found } = error;
    return { kind: "FormatError", message, file, offset, field, expected, found };
  }
  if (error instanceof FileError) {
    const { path, problem } = error;
    return { kind: "FileError", message, path, problem };
  }
  if (error instanceof MemoryError) {
    const { fault, bytesRead } = error;
    const advice = "give the driver's file with images, or take a dump that holds more";
    return { kind: "MemoryError", message, fault, bytesRead, advice };
  }
  if (error instanceof QuestionError) return { kind: "QuestionError", message, command: error.command };
  if (error instanceof OutsideError) return { kind: "OutsideError", message, path: error.path };
  if (error instanceof PartError) return { kind: "PartError", message };
  return { kind: error.name, message };
}
