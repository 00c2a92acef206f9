import { defineConfig } from "tsdown";

export default defineConfig({
  entry: { main: "src/main.ts" },
  format: "esm",
  fixedExtension: false,
  platform: "node",
  target: "node20.19",
  clean: true,
  dts: false,
});
