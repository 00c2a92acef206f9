import { describeFault, FormatError } from "../core/errors.ts";
import { grouped } from "../core/text.ts";
import type { Stop } from "../core/walk.ts";
import type { Gap } from "./gap.ts";

/** Why something ended early, in words. */
export function stopText(stop: Stop | FormatError): string {
  if (stop === "cycle") return "it leads back into itself";
  if (stop === "limit") return "it is longer than any real one";
  if (stop === "broken") return "a link leads to what is no entry";
  return stop instanceof FormatError ? stop.message : describeFault(stop);
}

/** Why something ended early, as plain data; null where it came to its end. */
export function gapOf(stop: Stop | FormatError | undefined): Gap | null {
  if (stop === undefined) return null;
  const kind = typeof stop === "string" ? stop : stop instanceof FormatError ? "format" : stop.kind;
  return { kind, detail: stopText(stop) };
}

/**
 * A share as whole per cent that never says 100 for less than all, nor 0 for more than nothing.
 */
export function percent(part: number, whole: number): string {
  if (whole === 0) return "0 %";
  const share = Math.round((part / whole) * 100);
  if (part < whole && share >= 100) return "99 %";
  if (part > 0 && share === 0) return "<1 %";
  return `${share} %`;
}

/** `41 days 3:07:09`. */
export function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60]
    .map((part, i) => (i === 0 ? `${part}` : `${part}`.padStart(2, "0")))
    .join(":");
  return days === 0 ? clock : `${days} ${days === 1 ? "day" : "days"} ${clock}`;
}

/** `1 page`, `2 pages`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** 100 ns between 1601 and 1970. */
const UNIX_EPOCH = 116_444_736_000_000_000n;

/** A FILETIME as ISO 8601; null where no calendar has it. */
export function isoTime(fileTime: bigint): string | null {
  const time = new Date(Number((fileTime - UNIX_EPOCH) / 10_000n));
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** A linker's time stamp, in seconds since 1970; a reproducible build has a hash there. */
export function timestampText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 19)} UTC, if it is a time`;
}
