/**
 * Wine's kernel-mode images, which are free and by a real compiler: Debian's package libwine is fetched once, into a
 * cache outside the project (`POOLTRAIL_CACHE`, or `~/.cache/pooltrail`). `node bench/wine-images.mjs` does only that.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CACHE = process.env.POOLTRAIL_CACHE ?? join(homedir(), ".cache/pooltrail");
const KERNEL_MODE = /^(?:ntoskrnl\.exe|hal\.dll|.*\.sys)$/i;
const MINUTES = 60_000;

/** @param {string} below @returns {string | undefined} the folder with the x64 images */
function windowsFolder(below) {
  const lib = join(below, "usr/lib/x86_64-linux-gnu/wine/x86_64-windows");
  return existsSync(join(lib, "ntoskrnl.exe")) ? lib : undefined;
}

/**
 * The paths of Wine's kernel-mode images for x64.
 *
 * @param {{ fetch: boolean }} options fetch: from Debian, where they are not there yet
 * @returns {{ files: readonly string[], missing?: string }}
 */
export function wineImages({ fetch }) {
  const kept = join(CACHE, "libwine");
  let folder = windowsFolder(kept);
  if (folder === undefined) {
    if (!fetch) return { files: [], missing: `not in ${CACHE}` };
    const missing = download(kept);
    folder = windowsFolder(kept);
    if (folder === undefined) return { files: [], missing: missing ?? "libwine holds no kernel-mode images" };
  }
  const at = folder;
  return {
    files: readdirSync(at)
      .filter((name) => KERNEL_MODE.test(name))
      .sort()
      .map((name) => join(at, name)),
  };
}

/** @param {string} kept where the package's files go @returns {string | undefined} why they could not be had */
function download(kept) {
  let work;
  try {
    mkdirSync(CACHE, { recursive: true });
    work = mkdtempSync(join(CACHE, "fetch-"));
  } catch (error) {
    return String(error);
  }
  try {
    const got = spawnSync("apt-get", ["download", "-qq", "libwine"], {
      cwd: work,
      timeout: 10 * MINUTES,
      encoding: "utf8",
    });
    const deb = readdirSync(work).find((name) => name.endsWith(".deb"));
    if (deb === undefined)
      return `apt-get download libwine: ${got.error?.message ?? (got.stderr.trim().split("\n")[0] || "nothing came")}`;
    const unpacked = spawnSync("dpkg", ["-x", deb, "unpacked"], { cwd: work });
    if (unpacked.status !== 0) return "dpkg could not unpack libwine";
    rmSync(kept, { recursive: true, force: true });
    renameSync(join(work, "unpacked"), kept);
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { files, missing } = wineImages({ fetch: true });
  console.log(
    missing === undefined ? `${files.length} images of Wine's` : `Wine's images are skipped: ${missing}`,
  );
}
