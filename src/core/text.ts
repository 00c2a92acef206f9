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

/** Controls, characters without a shape of their own, among them those that turn the direction, and halves of characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const SAFE = /^[\u0020-\u007e]*$/;

/** Text from a dump with what a terminal would obey, and what nobody would see, made visible as `\u{…}`. */
export function printable(text: string): string {
  return SAFE.test(text) ? text : text.replace(UNSAFE, visible);
}

/** As `printable`, of text that has lines and tabs of its own. */
export function printableLines(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === "\n" || character === "\t" ? character : visible(character),
  );
}

function visible(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/** The part of a Windows path after its last backslash. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("\\") + 1);
}

/** A whole number as `1,234,567`. Making an Intl.NumberFormat takes 10 ms. */
export function grouped(value: number | bigint): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Pieces put together at once by `joined`, and the length from which one stays by itself. */
const AT_ONCE = 256;
const LONG = 0x1000;

/**
 * Texts in one, with a separator between them: short ones some at a time, since as pieces they take several times the
 * memory; long ones by `+`, which copies nothing before the text is read.
 */
export function joined(pieces: Iterable<string>, separator: string): string {
  let all: string | undefined;
  let some: string[] = [];
  const add = (text: string): void => {
    all = all === undefined ? text : all + separator + text;
  };
  const addSome = (): void => {
    if (some.length > 0) add(some.join(separator));
    some = [];
  };
  for (const piece of pieces) {
    if (piece.length >= LONG) {
      addSome();
      add(piece);
    } else if (some.push(piece) >= AT_ONCE) addSome();
  }
  addSome();
  return all ?? "";
}
