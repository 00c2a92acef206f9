import { grouped } from "../../core/text.ts";
import type { ModulesDocument } from "../documents.ts";
import { renderTable } from "../table.ts";
import { percent, plural } from "../words.ts";
import { at, blocks, renderNotes, stoppedNote, type View } from "./view.ts";

/** `modules`: as `lm`, with what could be read of each image and who made it. */
export function renderModules(document: ModulesDocument, view: View): string {
  const loaded = renderTable(
    [
      { title: "start" },
      { title: "end" },
      { title: "module name" },
      { title: "size", align: "right" },
      { title: "readable", align: "right" },
      { title: "time stamp" },
      { title: "publisher" },
    ],
    document.modules.map((module) => [
      at(view, module.base),
      at(view, module.end),
      module.name,
      grouped(module.size),
      percent(module.readableBytes, module.size),
      module.timestamp === null ? "-" : module.timestamp.toString(16).padStart(8, "0"),
      publisher(module.publisher, module.thirdParty, module.publisherBasis),
    ]),
    view.style,
  );
  const unloaded = document.unloaded.map(
    (module) => `${at(view, module.base)}  ${at(view, module.end)}  ${module.name}`,
  );
  return blocks(
    loaded,
    unloaded.length === 0 ? "" : `${view.style.bold("Unloaded modules:")}\n${unloaded.join("\n")}`,
    plural(document.modules.length, "module"),
    renderNotes(
      [
        ...stoppedNote("the module list", document.stopped),
        ...stoppedNote("the list of unloaded modules", document.unloadedStopped),
        ...document.notes,
      ],
      view,
    ),
  );
}

/** `Contoso Ltd. (third party, by its version resource)`. */
function publisher(company: string | null, thirdParty: boolean | null, basis: string | null): string {
  if (basis === null) return "unknown";
  const side = thirdParty === null ? "" : thirdParty ? "third party, " : "";
  return `${company ?? (thirdParty ? "not named" : "Microsoft")} (${side}by its ${basis})`;
}
