// Checks the packed tarball: its shape, its command line and its types, as a user's empty folder sees them.

import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const work = mkdtempSync(join(tmpdir(), "pooltrail-package-"));

/** @param {string} cwd @param {string} command @param {...string} args */
function run(cwd, command, ...args) {
  console.log(`$ ${[command, ...args].join(" ").replaceAll(work, "…").replaceAll(root, "")}`);
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** @param {unknown} holds @param {string} what @returns {asserts holds} */
function check(holds, what) {
  if (!holds) throw new Error(what);
}

const tool = (/** @type {string} */ name) => join(root, "node_modules/.bin", name);

try {
  /** @type {[{ filename: string, size: number, files: readonly { path: string }[] }]} */
  const [packed] = JSON.parse(
    run(root, "npm", "pack", "--json", "--ignore-scripts", "--pack-destination", work),
  );
  const tarball = join(work, packed.filename);
  const names = packed.files.map((file) => file.path);
  console.log(`${packed.filename}: ${names.length} files, ${packed.size} bytes`);
  for (const name of [
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "dist/index.js",
    "dist/index.d.ts",
    "dist/browser/index.js",
    "dist/worker.js",
    "dist/worker-thread.js",
    "dist/cli/main.js",
    "dist/third-party.txt",
  ]) {
    check(names.includes(name), `the package lacks ${name}`);
  }
  for (const folder of ["ksy/", "schema/"]) {
    check(
      names.some((name) => name.startsWith(folder)),
      `the package has no ${folder}`,
    );
  }

  console.log(run(root, tool("publint"), "--strict", tarball).trim());
  console.log(run(root, tool("attw"), tarball, "--profile", "esm-only", "--no-emoji").trim());

  const user = join(work, "user");
  mkdirSync(user);
  writeFileSync(join(user, "package.json"), '{ "private": true, "type": "module" }\n');
  run(user, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", tarball);
  check(
    run(user, "npx", "pooltrail", "--version").includes(version),
    `pooltrail --version is not ${version}`,
  );
  const info = run(user, "npx", "pooltrail", "info", join(root, "samples/article-2003.dmp"), "--json");
  check(JSON.parse(info).schemaVersion === 1, "pooltrail info --json has no schemaVersion");

  writeFileSync(
    join(user, "user.ts"),
    [
      'import { openDump } from "pooltrail";',
      'import { openDump as openInWorker } from "pooltrail/worker";',
      'import { renderHtml } from "pooltrail/browser";',
      'using dump = openDump("MEMORY.DMP", { images: ["drivers"] });',
      'await using there = await openInWorker(new URL("file:///MEMORY.DMP"), { signal: AbortSignal.timeout(9) });',
      'const { conclusion } = await there.ask({ command: "trace", tags: ["Se"] });',
      "// @ts-expect-error: an open dump cannot be sent to a worker",
      'there.ask({ command: "growth", older: dump });',
      'const fromUrl = openDump(new URL("file:///MEMORY.DMP"));',
      'const trail = dump.trace("Se");',
      "const evidence: readonly unknown[] | undefined = trail.suspects[0]?.evidence;",
      "// @ts-expect-error: the types are real, not any",
      "dump.noSuchMember;",
      "console.log(evidence, dump.modules.items.length, fromUrl.file, conclusion.culprit?.name, renderHtml);",
      "",
    ].join("\n"),
  );
  mkdirSync(join(user, "node_modules/@types"), { recursive: true });
  for (const name of ["@types/node", "undici-types"]) {
    symlinkSync(join(root, "node_modules", name), join(user, "node_modules", name), "junction");
  }
  const strict = ["--strict", "--noEmit", "--target", "es2023", "--lib", "es2023", "--types", "node"];
  for (const { module, resolution } of [
    { module: "node16", resolution: "node16" },
    { module: "esnext", resolution: "bundler" },
  ]) {
    run(user, tool("tsc"), ...strict, "--module", module, "--moduleResolution", resolution, "user.ts");
  }
  // what is returned can be named
  const declared = (/** @type {string} */ name) => readFileSync(join(root, "dist", name), "utf8");
  const exported = new Set(
    ["index.d.ts", "worker.d.ts"].flatMap((entry) =>
      [...declared(entry).matchAll(/^export \{([^}]*)\}/gm)].flatMap(
        ([, list = ""]) => list.match(/\w+/g) ?? [],
      ),
    ),
  );
  const nameless = readdirSync(join(root, "dist"))
    .filter((name) => name.endsWith(".d.ts"))
    .flatMap((name) => [
      ...declared(name).matchAll(/^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type) (\w+)/gm),
    ])
    .flatMap(([, name = ""]) =>
      exported.has(name) || exported.has(name.replace(/\$\d+$/, "")) ? [] : [name],
    );
  check(nameless.length === 0, `types without an exported name: ${nameless.join(", ")}`);

  // what has neither Node's types nor the DOM's
  writeFileSync(
    join(user, "bare.ts"),
    'import { openDump } from "pooltrail";\nexport const modules = openDump("MEMORY.DMP").modules.items.length;\n',
  );
  const bare = strict.map((word) => (word === "node" ? "" : word));
  run(user, tool("tsc"), ...bare, "--module", "node16", "--moduleResolution", "node16", "bare.ts");

  writeFileSync(
    join(user, "worker.mjs"),
    [
      'import { openDump } from "pooltrail/worker";',
      "const dump = await openDump(process.argv[2]);",
      'const { conclusion } = await dump.ask({ command: "trace", tags: ["Se"] });',
      "console.log(conclusion.module);",
      "",
    ].join("\n"),
  );
  const inWorker = run(user, process.execPath, "worker.mjs", join(root, "samples/leak-x64.dmp")).trim();
  check(inWorker === "ctstor", `a worker of the package names ${inWorker}`);

  // one file of everything, far from any package
  const bundled = join(work, "bundled.mjs");
  writeFileSync(
    join(user, "main.mjs"),
    'import { openDump } from "pooltrail";\nconsole.log(openDump(process.argv[2]).trace("Se").conclusion.module);\n',
  );
  run(
    user,
    tool("esbuild"),
    "main.mjs",
    "--bundle",
    "--platform=node",
    "--format=esm",
    `--outfile=${bundled}`,
    "--log-level=error",
  );
  const named = run(work, process.execPath, bundled, join(root, "samples/leak-x64.dmp")).trim();
  check(named === "ctstor", `a bundle of the package names ${named}`);
  console.log("the package is sound");
} finally {
  rmSync(work, { recursive: true, force: true });
}
