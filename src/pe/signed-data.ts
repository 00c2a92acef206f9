import type * as Asn1 from "asn1js";
import type * as Pki from "pkijs";
import type { Bytes } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";
import {
  MAX_ASN1_DEPTH,
  MAX_ASN1_ELEMENTS,
  MAX_NAME_BYTES,
  MAX_OID_BYTES,
  MAX_SIGNATURE_BYTES,
} from "../core/limits.ts";
import { loadPki } from "../generated/pkijs.js";
import { identifierBytes } from "./object-identifiers.ts";

/** The parts of a certificate's name that say who it is. */
export interface DistinguishedName {
  readonly commonName: string | null;
  readonly organisation: string | null;
}

/** What a PKCS #7 message says of its first signer. */
export interface Signer {
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** SpcSpOpusInfo.programName */
  readonly programName: string | null;
}

/** Object identifiers, by their names in the standards. */
const OID = {
  signedData: "1.2.840.113549.1.7.2",
  commonName: "2.5.4.3",
  organizationName: "2.5.4.10",
  spcSpOpusInfo: "1.3.6.1.4.1.311.2.1.12",
} as const;

const CONTEXT_SPECIFIC = 3;

/**
 * Reads who signed a PKCS #7 message: the certificate that the first signer names by issuer and serial
 * number. The chain above it is not looked at.
 *
 * @throws {FormatError} no SignedData, ASN.1 past the caps, no signer, or one whose certificate is not there
 * @see RFC 2315, "SignedData"; Windows Authenticode Portable Executable Signature Format
 */
export function parseSignedData(message: Bytes): Signer {
  const signed = decode(message);
  const info = signed.signerInfos[0];
  if (info === undefined) return message.fail(0, "signers of the PKCS #7 message", "one", "none");
  const { Certificate, IssuerAndSerialNumber } = loadPki();
  const { sid } = info;
  if (!(sid instanceof IssuerAndSerialNumber)) {
    return message.fail(0, "first signer", "issuer and serial number of a certificate", "another identifier");
  }
  const certificate = signed.certificates?.find(
    (item): item is Pki.Certificate =>
      item instanceof Certificate &&
      item.serialNumber.isEqual(sid.serialNumber) &&
      item.issuer.isEqual(sid.issuer),
  );
  if (certificate === undefined) {
    return message.fail(0, "certificate of the first signer", "in the PKCS #7 message", "not there");
  }
  return {
    subject: nameOf(certificate.subject, message),
    issuer: nameOf(certificate.issuer, message),
    programName: programName(info, message),
  };
}

/** The package checks the structure, and throws errors of several kinds for what is none. */
function decode(message: Bytes): Pki.SignedData {
  const identifiers = identifierBytes(message.array);
  if (identifiers > MAX_OID_BYTES) {
    const found = `${identifiers} bytes`;
    message.fail(0, "object identifiers of the PKCS #7 message", `at most ${MAX_OID_BYTES} bytes`, found);
  }
  const { ContentInfo, fromBER, SignedData } = loadPki();
  try {
    const { offset, result } = fromBER(message.array, {
      maxDepth: MAX_ASN1_DEPTH,
      maxNodes: MAX_ASN1_ELEMENTS,
      maxContentLength: MAX_SIGNATURE_BYTES,
      parseEmbedded: false,
    });
    if (offset === -1) return message.fail(0, "PKCS #7 message", "ASN.1", result.error);
    const { contentType, content } = new ContentInfo({ schema: result });
    if (contentType !== OID.signedData) {
      return message.fail(0, "content of the PKCS #7 message", `SignedData, ${OID.signedData}`, contentType);
    }
    return new SignedData({ schema: content });
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    const found = cause instanceof Error ? cause.message : String(cause);
    const { file, fileOffset: offset } = message;
    throw new FormatError(
      { file, offset, field: "PKCS #7 message", expected: "SignedData", found },
      { cause },
    );
  }
}

function nameOf(name: Pki.RelativeDistinguishedNames, message: Bytes): DistinguishedName {
  const first = (oid: string): string | null => {
    const value: unknown = name.typesAndValues.find(({ type }) => type === oid)?.value.valueBlock.value;
    return typeof value === "string" ? text(value, message) : null;
  };
  return { commonName: first(OID.commonName), organisation: first(OID.organizationName) };
}

/**
 * SpcSpOpusInfo ::= SEQUENCE { programName [0] EXPLICIT SpcString OPTIONAL, moreInfo [1] … }, where SpcString
 * is either [0] IMPLICIT BMPString or [1] IMPLICIT IA5String.
 */
function programName({ signedAttrs }: Pki.SignerInfo, message: Bytes): string | null {
  const { Constructed, Primitive, Sequence } = loadPki();
  const opus = signedAttrs?.attributes.find(({ type }) => type === OID.spcSpOpusInfo)?.values[0];
  if (!(opus instanceof Sequence)) return null;
  const field = opus.valueBlock.value.find((item) => isTagged(item, 0));
  if (!(field instanceof Constructed)) return null;
  const choice = field.valueBlock.value[0];
  if (!(choice instanceof Primitive)) return null;
  const bytes = choice.valueBlock.valueHexView;
  if (isTagged(choice, 0)) return text(new TextDecoder("utf-16be").decode(bytes), message);
  return isTagged(choice, 1) ? text(new TextDecoder("latin1").decode(bytes), message) : null;
}

function isTagged({ idBlock }: Asn1.AsnType, number: number): boolean {
  return idBlock.tagClass === CONTEXT_SPECIFIC && idBlock.tagNumber === number;
}

/** Empty text says nothing. @throws {FormatError} longer than any name */
function text(value: string, message: Bytes): string | null {
  if (value.length > MAX_NAME_BYTES) {
    const found = `${value.length} characters`;
    return message.fail(0, "name in the signature", `at most ${MAX_NAME_BYTES} characters`, found);
  }
  const trimmed = value.replace(/\0+$/, "").trim();
  return trimmed === "" ? null : trimmed;
}
