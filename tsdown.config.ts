import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfig } from "tsdown";

const shared: UserConfig = {
  tsconfig: "tsconfig.src.json",
  format: "esm",
  fixedExtension: false,
};

/** What browsers have in the place of what Node has. */
const OF_BROWSERS: Readonly<Record<string, string>> = {
  "node-files.ts": "src/source/no-files.ts",
  "node-threads.ts": "src/worker/web-threads.ts",
};

/** Engines read source with other letters than these as two bytes each, and take longer for it. */
const asciiOnly = {
  name: "ASCII only",
  generateBundle: (_: unknown, bundle: Readonly<Record<string, { code?: string }>>) => {
    for (const chunk of Object.values(bundle))
      if (chunk.code !== undefined) chunk.code = chunk.code.replace(/[^\0-\x7f]/g, escaped);
  },
};
const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

export default defineConfig([
  {
    ...shared,
    entry: {
      index: "src/index.ts",
      worker: "src/worker.ts",
      "worker-thread": "src/worker-thread.ts",
      "cli/main": "src/cli/main.ts",
    },
    platform: "node",
    target: "node20.19",
    clean: true,
    dts: { oxc: { stripInternal: true } },
    copy: ["src/generated/third-party.txt"],
    plugins: [asciiOnly],
    // The declarations name Disposable, which no ES version before 2026 brings along.
    banner: { dts: '/// <reference lib="esnext.disposable" />' },
  },
  {
    ...shared,
    entry: { index: "src/index.ts", worker: "src/worker.ts", "worker-thread": "src/worker-thread.ts" },
    outDir: "dist/browser",
    platform: "browser",
    target: "es2023",
    dts: false,
    plugins: [
      asciiOnly,
      {
        name: "what browsers have",
        resolveId(id) {
          const stand = OF_BROWSERS[id.replace(/^.*\//, "")];
          return stand === undefined ? null : fileURLToPath(new URL(stand, import.meta.url));
        },
      },
    ],
  },
]);
