import type { Acquirer } from "./pair.ts";
import { by, group, out } from "./rows.ts";

/**
 * Cryptography and logons, of cng.sys and ksecdd.sys. Their tags are not published.
 *
 * @see Windows documentation, "CNG Functions"; bcrypt.h declares them
 */
export const CRYPTO: readonly Acquirer[] = [
  ...group({ fails: "status", releases: by(1, "BCryptCloseAlgorithmProvider"), what: "handle" }, [
    ["BCryptOpenAlgorithmProvider", 4, out(1), "bcrypt.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "BCryptDestroyHash"), what: "handle" }, [
    ["BCryptCreateHash", 7, out(2), "bcrypt.h"],
    ["BCryptCreateMultiHash", 8, out(2), "bcrypt.h"],
    ["BCryptDuplicateHash", 5, out(2), "bcrypt.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "BCryptDestroyKey"), what: "handle" }, [
    ["BCryptGenerateSymmetricKey", 7, out(2), "bcrypt.h"],
    ["BCryptGenerateKeyPair", 4, out(2), "bcrypt.h"],
    ["BCryptImportKey", 9, out(4), "bcrypt.h"],
    ["BCryptImportKeyPair", 7, out(4), "bcrypt.h"],
    ["BCryptDuplicateKey", 5, out(2), "bcrypt.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "BCryptDestroySecret"), what: "handle" }, [
    ["BCryptSecretAgreement", 4, out(3), "bcrypt.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "BCryptFreeBuffer"), what: "memory" }, [
    ["BCryptEnumAlgorithms", 4, out(3), "bcrypt.h"],
    ["BCryptEnumProviders", 4, out(3), "bcrypt.h"],
    ["BCryptResolveProviders", 8, out(8), "bcrypt.h"],
  ]),
  ...group({ fails: "status", releases: by(1, "LsaFreeReturnBuffer"), what: "memory" }, [
    ["GetSecurityUserInfo", 3, out(3), "ntifs.h"],
  ]),
];
