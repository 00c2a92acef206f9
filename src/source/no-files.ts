import type { ByteSource } from "./source.ts";

// What stands in the place of node-files.ts where there is no file system, as in a browser.

function refuse(path: string): never {
  throw new TypeError(
    `there is no file system to open "${path}" in: give the file's bytes, its Blob in a worker, or a ByteSource`,
  );
}

export function openFile(path: string): ByteSource {
  return refuse(path);
}

export function openSibling(path: string): ByteSource | undefined {
  return refuse(path);
}

export function pathOfUrl(href: string): string {
  return refuse(href);
}

export function isFolder(path: string): boolean {
  return refuse(path);
}

export function entriesOf(folder: string): never {
  return refuse(folder);
}

export function endOfLink(path: string): never {
  return refuse(path);
}
