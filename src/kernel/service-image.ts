import { fileName } from "./names.ts";
import { type Service, START_TYPES } from "./services.ts";

/** What of a loaded module tells its service. */
export interface LoadedFile {
  /** `ntfs.sys`; null or undefined where it cannot be read. */
  readonly imageName: string | null | undefined;
  /** `\SystemRoot\system32\drivers\ntfs.sys`; the last part of it stands in for a missing name. */
  readonly path: string | null | undefined;
}

/**
 * The drivers' services whose image a module is, by the file's name: a module's path and a service's are
 * seldom written alike. Several services may share an image; the one that starts first stands first. Empty
 * for what starts without a service, as nt, hal and a crash dump's own copies of drivers do.
 */
export function serviceOf(services: readonly Service[], { imageName, path }: LoadedFile): readonly Service[] {
  const wanted = (imageName ?? (path == null ? "" : fileName(path))).toLowerCase();
  if (wanted === "") return [];
  return services
    .filter((service) => service.type !== "process" && imageFile(service).toLowerCase() === wanted)
    .sort((a, b) => strength(a) - strength(b));
}

/** The file's name of a driver's image; a driver without ImagePath is `System32\drivers\NAME.sys`. */
function imageFile({ imagePath, name }: Service): string {
  if (imagePath === null) return `${name}.sys`;
  const path = imagePath.trim().replaceAll("/", "\\");
  return fileName(path.startsWith('"') ? (path.split('"')[1] ?? "") : path);
}

function strength({ start }: Service): number {
  return start === null ? START_TYPES.length : START_TYPES.indexOf(start);
}
