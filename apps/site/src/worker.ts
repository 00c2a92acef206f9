import {
  type Asked,
  ask,
  BlobSource,
  Dump,
  type ImageFolder,
  openDump,
  openFolder,
  type Question,
  readTagFile,
  renderHtml,
} from "pooltrail";
import type { GivenFiles, Reply, Request } from "./messages.ts";

// What the page's worker runs: only here browsers read a file piece by piece while a question waits for it.

let opened: Dump | ImageFolder | undefined;

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  try {
    opened ??= open(data.files);
    reply({ html: answered(opened, data) });
  } catch (error) {
    reply({ failed: error instanceof Error ? error.message : String(error) });
  }
});

function reply(message: Reply): void {
  postMessage(message);
}

function open({ dump, drivers, hive }: GivenFiles): Dump | ImageFolder {
  if (dump.length === 0) return openFolder(drivers.map((file) => new BlobSource(file)));
  return openDump(dump, { images: drivers, ...(hive === undefined ? {} : { systemHive: hive }) });
}

/** One report; its page says the command that gives it in a terminal. */
function answered(from: Dump | ImageFolder, { files, report, tags }: Request): string {
  const title = from instanceof Dump ? from.file : "FOLDER";
  const words = [report, title, ...(report === "trace" ? tags : [])].map((word) =>
    /^[\w./\\:!*?+-]+$/.test(word) ? word : `"${word}"`,
  );
  const view = { pointerSize: from.pointerSize, title, command: `pooltrail ${words.join(" ")}` };
  const onProgress = (module: string, done: number, of: number): void =>
    reply({ progress: [module, done, of] });
  const put = <C extends Asked>(question: Question<C>): string => {
    const command: C = question.command;
    return renderHtml(command, ask(from, question, { onProgress }), view);
  };
  switch (report) {
    case "trace":
      return put({ command: report, tags });
    case "tags":
      return put({ command: report, descriptions: files.tags && readTagFile(files.tags) });
    default:
      return put({ command: report });
  }
}
