import { ask, type Question } from "../api/ask.ts";
import type { Dump } from "../api/dump.ts";
import type { GivenImage } from "../api/images.ts";
import { readTagFile } from "../api/input.ts";
import { openDump } from "../api/open-dump.ts";
import type { TagFile } from "../pool/pooltags.ts";
import { BlobSource } from "../source/blob.ts";
import { BytesSource } from "../source/bytes-source.ts";
import { isBlob } from "../source/given.ts";
import { plainError } from "./errors.ts";
import type { NamedFile, OpenedDump, Opening, Reply, Request, SentQuestion } from "./messages.ts";
import { onMessage, type PortLike } from "./ports.ts";

/** What is open in this worker. */
interface Open {
  readonly dump: Dump;
  readonly descriptions: TagFile | undefined;
}

/** Answers the requests that come through `port`, each before the next. */
export function serve(port: PortLike): void {
  let open: Open | undefined;
  const reply = (message: Reply): void => port.postMessage(message);
  const answer = (request: Request): OpenedDump | object => {
    if ("open" in request) {
      open = openAll(request.open);
      const { file, pointerSize } = open.dump;
      return { file, pointerSize };
    }
    if (open === undefined) throw new Error("asked before a dump was open");
    const onProgress = (module: string, done: number, of: number): void =>
      reply({ progress: [module, done, of] });
    return answerTo(open, request.ask, onProgress);
  };
  onMessage(port, (message) => {
    try {
      // what sends the messages is openDump of this package
      reply({ done: answer(message as Request) });
    } catch (error) {
      reply({ failed: plainError(error) });
    }
  });
}

function openAll({ input, images, systemHive, pooltags }: Opening): Open {
  const given = images.map((one): GivenImage => {
    if (typeof one !== "object" || !isNamedFile(one)) return one;
    const { name, bytes } = one;
    if (isBlob(bytes)) return new BlobSource(bytes, name);
    return new BytesSource(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes, name);
  });
  const descriptions = pooltags === undefined ? undefined : readTagFile(pooltags);
  const dump = openDump(input, { images: given, ...(systemHive === undefined ? {} : { systemHive }) });
  return { dump, descriptions };
}

function isNamedFile(file: object): file is NamedFile {
  return "bytes" in file && !isBlob(file);
}

function answerTo(
  { dump, descriptions }: Open,
  question: SentQuestion,
  onProgress: (module: string, done: number, of: number) => void,
): object {
  if (question.command === "growth") {
    using older = openDump(question.older);
    return ask<"growth">(dump, { ...question, older });
  }
  if (question.command === "tags") return ask<"tags">(dump, { ...question, descriptions });
  return ask(dump, question as Question, { onProgress });
}
