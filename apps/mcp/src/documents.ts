import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";

/** The project's own folder: from `src/` and from `dist/` alike. */
const ROOT = new URL("../../../", import.meta.url);

/** Offers the pages of docs/ and the schemas of the tools' answers as resources. */
export function offerDocuments(server: McpServer): void {
  for (const path of namesBelow("docs", ".md")) {
    const text = readFileSync(new URL(path, ROOT), "utf8");
    const title = /^# (.*)$/m.exec(text)?.[1] ?? path;
    offer(server, path, title, "text/markdown");
  }
  for (const path of namesBelow("schema", ".json")) {
    const command = path.replace(/^schema\/|\.json$/g, "");
    offer(server, path, `JSON Schema of what ${command} answers`, "application/schema+json");
  }
}

function offer(server: McpServer, path: string, title: string, mimeType: string): void {
  server.registerResource(path, `pooltrail://${path}`, { title, mimeType }, ({ href }) => ({
    contents: [{ uri: href, mimeType, text: readFileSync(new URL(path, ROOT), "utf8") }],
  }));
}

/** Paths from the project's folder, with forward slashes. */
function namesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(fileURLToPath(new URL(folder, ROOT)), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .sort();
}
