import { VERSION } from "../core/version.ts";
import type { Invocation } from "./arguments.ts";
import { completionScript } from "./completion-script.ts";
import { renderHelp } from "./help.ts";

/** What is said of the program itself; `undefined` where a dump is asked about. */
export function aboutText(invocation: Invocation): string | undefined {
  switch (invocation.kind) {
    case "version":
      return VERSION;
    case "help":
      return renderHelp(invocation.command);
    case "completion":
      return completionScript(invocation.shell);
    case "run":
      return undefined;
  }
}
