import { hex } from "../core/address.ts";
import type { Bytes } from "../core/bytes.ts";
import { readStruct } from "../core/kaitai.ts";
import { MAX_CERTIFICATES, MAX_SIGNATURE_BYTES } from "../core/limits.ts";
import { PeCertificate } from "../generated/pe_certificate.js";
import type { HeaderReader } from "./headers.ts";

/** The attribute certificate table of a file. */
export interface CertificateTable {
  readonly fileOffset: number;
  /** In bytes. */
  readonly size: number;
}

const HEAD_SIZE = 8;
const ALIGNMENT = 8;
const PKCS_SIGNED_DATA = 2;

/**
 * Finds the PKCS #7 message of a file's signature.
 *
 * @param readFile reads by file offset
 * @returns `undefined` where the table holds other certificates only
 * @throws {FormatError} an entry reaches past the table or the file, or is larger than any signature, or there
 * are more than any file has
 * @see Microsoft PE Format, "The Attribute Certificate Table (Image Only)"
 */
export function findSignedData(readFile: HeaderReader, table: CertificateTable): Bytes | undefined {
  let at = 0;
  for (let index = 0; at + HEAD_SIZE <= table.size; index++) {
    const start = table.fileOffset + at;
    const head = readFile(start, HEAD_SIZE, "attribute certificate");
    if (index >= MAX_CERTIFICATES)
      head.fail(0, "attribute certificates", `at most ${MAX_CERTIFICATES}`, "more");
    const { length, kind } = readStruct(PeCertificate, head, "attribute certificate");
    const most = Math.min(table.size - at, MAX_SIGNATURE_BYTES);
    if (length < HEAD_SIZE || length > most) {
      head.fail(0, "length of the attribute certificate", `${hex(HEAD_SIZE)} to ${hex(most)}`, hex(length));
    }
    if (kind === PKCS_SIGNED_DATA) {
      return readFile(start + HEAD_SIZE, length - HEAD_SIZE, "PKCS #7 message");
    }
    at += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  }
  return undefined;
}
