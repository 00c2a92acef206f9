import type { Documents } from "../report/blocks.ts";

/** A question that cannot be put to this dump: it names what there is not, or what is no address or tag. */
export class QuestionError extends Error {
  readonly #command: keyof Documents;

  constructor(message: string, command: keyof Documents) {
    super(message);
    this.#command = command;
  }

  /** What was asked. */
  get command(): keyof Documents {
    return this.#command;
  }
}
