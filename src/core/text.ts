const latin1 = new TextDecoder("latin1");
const utf16 = new TextDecoder("utf-16le");

/** Bytes up to the first NUL, one character each. */
export function asciiZ(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return latin1.decode(end === -1 ? bytes : bytes.subarray(0, end));
}

/** UTF-16 little-endian text up to the first NUL character; an odd last byte is dropped. */
export function utf16Z(bytes: Uint8Array): string {
  const whole = bytes.length & ~1;
  let end = 0;
  while (end < whole && (bytes[end] !== 0 || bytes[end + 1] !== 0)) end += 2;
  return utf16.decode(bytes.subarray(0, end));
}

/** One byte a character, as ASCII has it. */
export function asciiBytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

/** UTF-16 little-endian. */
export function utf16Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), true);
  return bytes;
}

/**
 * Text from a dump with what a terminal would obey made visible: control characters, and the
 * characters that turn the direction of writing, become `\u{…}`.
 */
export function printable(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** The part of a Windows path after its last backslash. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("\\") + 1);
}

const GROUPED = new Intl.NumberFormat("en-US");

/** `1,234,567`. */
export function grouped(value: number | bigint): string {
  return GROUPED.format(value);
}
