import { defineConfig } from "tsdown";

export default defineConfig({
  entry: { index: "src/index.ts", "cli/main": "src/cli/main.ts" },
  tsconfig: "tsconfig.src.json",
  platform: "node",
  target: "node20.19",
  format: "esm",
  fixedExtension: false,
  clean: true,
  dts: { oxc: true },
  copy: ["src/generated/third-party.txt"],
  // The declarations name Disposable, which no ES version before 2026 brings along.
  banner: { dts: '/// <reference lib="esnext.disposable" />' },
});
