import { FormatError } from "../core/errors.ts";
import { MAX_SERVICE_TEXT_BYTES, MAX_SERVICE_VALUES, MAX_SERVICES } from "../core/limits.ts";
import { fileName, printable } from "../core/text.ts";
import { ALL_CELLS } from "./cells.ts";
import type { Hive, HiveKey } from "./hive.ts";
import type { HiveValue } from "./value.ts";

/** When Windows starts a service, the strongest first. */
const START_TYPES = ["boot", "system", "automatic", "manual", "disabled"] as const;
export type StartType = (typeof START_TYPES)[number];

/** What a service is. `process`: it runs in user mode. */
export type ServiceType =
  | "kernel-driver"
  | "file-system-driver"
  | "adapter"
  | "file-system-recognizer"
  | "process";

/** A service or driver, as the registry has it. `null`: it is not there, or is of another type. */
export interface Service {
  /** The name of its key. */
  readonly name: string;
  /** When it starts; an override by hardware profile (StartOverride) is not looked at. */
  readonly start: StartType | null;
  readonly type: ServiceType | null;
  /** The load order group. */
  readonly group: string | null;
  /** Null also where it is only a reference to a resource, as `@%SystemRoot%\…,-100` is. */
  readonly description: string | null;
  /** As `description`. */
  readonly displayName: string | null;
  /** As it stands there, with or without `\SystemRoot\` or a drive. */
  readonly imagePath: string | null;
  /** Its place in the group's order. */
  readonly tag: number | null;
}

/** The services of a machine. */
export interface Services {
  readonly items: readonly Service[];
  /** The control set that they were read from, `ControlSet001`. */
  readonly controlSet: string;
  /** What could not be read; one sentence each. */
  readonly notes: readonly string[];
}

/** SERVICE_*: the first bit that is set decides. */
const TYPES: readonly (readonly [number, ServiceType])[] = [
  [0x1, "kernel-driver"],
  [0x2, "file-system-driver"],
  [0x4, "adapter"],
  [0x8, "file-system-recognizer"],
  [0xf0, "process"],
];

/**
 * Reads the services of the control set that the machine started with.
 *
 * @throws {FormatError} it is no SYSTEM hive, or the way to its services is broken
 */
export function readServices(hive: Hive): Services {
  const controlSet = currentControlSet(hive);
  const key = hive.root.subkey(controlSet)?.subkey("Services");
  if (key === undefined) return wrongHive(hive, `the key ${controlSet}\\Services`, "no such key");
  const reader = new ServiceReader();
  const offsets = key.subkeyOffsets();
  for (const offset of offsets) if (!reader.add(key, offset)) break;
  const notes = [...hive.notes, ...reader.notes()];
  if (offsets.length !== key.subkeyCount) {
    notes.push(
      `the key of the services claims ${key.subkeyCount} of them, and its list has ${offsets.length}`,
    );
  }
  return { items: reader.items, controlSet, notes };
}

/** Collects services until a cap; one that is broken is left out and counted. */
class ServiceReader {
  readonly items: Service[] = [];
  #valuesLeft = MAX_SERVICE_VALUES;
  #broken = 0;
  #firstError: FormatError | undefined;
  #isFull = false;

  /** @returns whether there is room for more */
  add(services: HiveKey, offset: number): boolean {
    this.#attempt(() => {
      const service = this.#read(services.subkeyAt(offset));
      if (service === undefined) return;
      if (this.items.length < MAX_SERVICES) this.items.push(service);
      else this.#isFull = true;
    });
    return !this.#isFull;
  }

  notes(): readonly string[] {
    const notes: string[] = [];
    if (this.#firstError !== undefined) {
      notes.push(
        `parts of the hive's services could not be read: ${this.#broken}; the first: ${this.#firstError.message}`,
      );
    }
    if (this.#isFull) {
      const most = "the hive's services are more, or have more values, than those of any machine";
      notes.push(`${most}: only ${this.items.length} were read`);
    }
    return notes;
  }

  /**
   * @returns `undefined` for a key that is no service: some only hold performance counters
   * @throws {FormatError} its values, or that of ImagePath, cannot be read
   */
  #read(key: HiveKey): Service | undefined {
    const values = new Map<string, HiveValue>();
    for (const value of key.values()) {
      this.#isFull = --this.#valuesLeft < 0;
      if (this.#isFull) return undefined;
      values.set(value.name.toLowerCase(), value);
    }
    const number = (name: string): number | null => this.#attempt(() => values.get(name)?.u32()) ?? null;
    const text = (name: string): string | null => this.#attempt(() => textOf(values.get(name))) ?? null;
    // without it the image would be taken for the default, so a broken one breaks the service
    const imagePath = textOf(values.get("imagepath")) ?? null;
    const [type, start] = [number("type"), number("start")];
    if (type === null && start === null && imagePath === null) return undefined;
    return {
      name: key.name,
      start: start === null ? null : (START_TYPES[start] ?? null),
      type: type === null ? null : (TYPES.find(([bits]) => (type & bits) !== 0)?.[1] ?? null),
      group: text("group"),
      description: spoken(text("description")),
      displayName: spoken(text("displayname")),
      imagePath,
      tag: number("tag"),
    };
  }

  #attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#broken++;
      this.#firstError ??= error;
      if (error.field === ALL_CELLS) this.#isFull = true;
      return undefined;
    }
  }
}

/** Empty text says nothing. */
function textOf(value: HiveValue | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = value.text(MAX_SERVICE_TEXT_BYTES);
  return text === "" ? undefined : text;
}

/** `@oem12.inf,%Name%;Contoso Filter` carries the words behind its reference; `@driver.sys,-100` has none. */
function spoken(text: string | null): string | null {
  if (text === null || !text.startsWith("@")) return text;
  const semicolon = text.indexOf(";");
  return semicolon === -1 || semicolon === text.length - 1 ? null : text.slice(semicolon + 1);
}

/** The name of the control set that Select\Current tells. */
function currentControlSet(hive: Hive): string {
  const select = hive.root.subkey("Select");
  if (select === undefined) {
    return wrongHive(hive, "a SYSTEM hive, with the key Select", `the keys ${keysOf(hive.root)}`);
  }
  const current = select.value("Current")?.u32();
  if (current === undefined || current < 1 || current > 999) {
    return wrongHive(hive, "a control set's number in Select\\Current", String(current ?? "none"));
  }
  return `ControlSet${String(current).padStart(3, "0")}`;
}

function keysOf(root: HiveKey): string {
  const names: string[] = [];
  for (const key of root.subkeys()) {
    if (names.length === 3) return `${names.join(", ")}, …`;
    names.push(printable(key.name));
  }
  return names.length === 0 ? "of an empty hive" : names.join(", ");
}

function wrongHive(hive: Hive, expected: string, found: string): never {
  throw new FormatError({
    file: hive.name,
    offset: hive.root.fileOffset,
    field: "registry hive",
    expected,
    found,
  });
}

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
