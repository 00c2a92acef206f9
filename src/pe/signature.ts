import type { Bytes } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";
import { type CertificateTable, findSignedData } from "./certificates.ts";
import type { Finding } from "./finding.ts";
import type { HeaderReader } from "./headers.ts";
import { toTableStop } from "./rva-reader.ts";
import { parseSignedData } from "./signed-data.ts";

/**
 * Whom a file's Authenticode signature names. Nothing is verified, neither the digest nor the chain of
 * certificates: anyone can write any name into a certificate of his own.
 */
export interface Signature {
  /** `organisation`, else `commonName`. */
  readonly signer: string;
  /** CN of the signer's certificate. */
  readonly commonName: string | null;
  /** O of the signer's certificate. */
  readonly organisation: string | null;
  /** CN, else O, of who issued the signer's certificate. */
  readonly issuer: string | null;
  /**
   * What the signer said that it signs (SpcSpOpusInfo). Microsoft's hardware programme puts the name of the
   * company here that handed the driver in.
   */
  readonly programName: string | null;
}

/**
 * Reads the signature that a PE file carries. `absent` does not mean unsigned: most of Windows' own files
 * are signed by a catalog, a file beside them.
 *
 * @param file its name, for messages
 * @param readFile reads by file offset; undefined for an image in memory, where signatures are never mapped
 * @param table undefined: the headers name none
 */
export function readSignature(
  file: string,
  readFile: HeaderReader | undefined,
  table: CertificateTable | undefined,
): Finding<Signature> {
  if (table === undefined) return { state: "absent" };
  if (readFile === undefined) {
    const [expected, found] = ["in the file", "memory, where it is never mapped"];
    const reason = new FormatError({ file, offset: table.fileOffset, field: "signature", expected, found });
    return { state: "unreadable", reason };
  }
  try {
    const message = findSignedData(readFile, table);
    if (message === undefined) return { state: "absent" };
    return { state: "present", value: parseSignature(message) };
  } catch (error) {
    return { state: "unreadable", reason: toTableStop(error) };
  }
}

/**
 * Reads the first signer of a PKCS #7 message.
 *
 * @throws {FormatError} it is no SignedData, or its signer's certificate is not in it or names nobody
 * @internal
 */
export function parseSignature(message: Bytes): Signature {
  const { subject, issuer, programName } = parseSignedData(message);
  const { commonName, organisation } = subject;
  const signer = organisation ?? commonName;
  if (signer === null) {
    return message.fail(0, "subject of the signer's certificate", "a name with O or CN", "neither");
  }
  return {
    signer,
    commonName,
    organisation,
    issuer: issuer.commonName ?? issuer.organisation,
    programName,
  };
}

const MICROSOFT = "Microsoft Corporation";
/** CN of the certificates with which Microsoft signs what it made itself. */
const OWN: ReadonlySet<string> = new Set([
  "Microsoft Corporation",
  "Microsoft Windows",
  "Microsoft Windows Publisher",
]);

/**
 * Whether the signature says that Microsoft made the file. `null`: it cannot be told, since Microsoft signs
 * what others made too: a driver that passed its hardware programme names "Microsoft Windows Hardware
 * Compatibility Publisher".
 */
export function isMicrosoftSigner({ organisation, commonName }: Signature): boolean | null {
  if (organisation !== MICROSOFT) return false;
  return commonName !== null && OWN.has(commonName) ? true : null;
}
