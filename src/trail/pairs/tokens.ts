import type { Acquirer, Release } from "./pair.ts";
import { DEREFERENCE, FREE } from "./releases.ts";
import { by, byAddress, group, inside, isSet, isZero, out, RETURNED } from "./rows.ts";

/** SECURITY_CLIENT_CONTEXT.ClientToken, behind a SECURITY_QUALITY_OF_SERVICE of 12 bytes. */
const CLIENT_TOKEN = { 4: 12, 8: 16 } as const;
const TOKEN_RELEASES = ["PsDereferencePrimaryToken", "PsDereferenceImpersonationToken"] as const;

// SeDeleteClientSecurity is a macro of ntifs.h: what stands in code is one of the other two.
const CLIENT_SECURITY: readonly Release[] = [
  ...byAddress(1, "SeDeleteClientSecurity"),
  ...[...TOKEN_RELEASES, ...DEREFERENCE.map((release) => release.name)].map(
    (name): Release => ({ name, argument: 1, takes: { field: CLIENT_TOKEN } }),
  ),
];

/** The classes whose value is written in place of a pointer: TokenSessionId and TokenIntegrityLevel. */
const IN_PLACE = [12, 25] as const;

/** Tokens, and what the security functions allocate. */
export const TOKENS: readonly Acquirer[] = [
  ...group({ fails: "never", releases: [...by(1, ...TOKEN_RELEASES), ...DEREFERENCE], what: "reference" }, [
    ["PsReferencePrimaryToken", 1, RETURNED, "ntifs.h", "Toke"],
    ["PsReferenceImpersonationToken", 4, RETURNED, "ntifs.h", "Toke", { fails: "null" }],
  ]),
  ...group({ fails: "never", releases: byAddress(1, "SeReleaseSubjectContext"), what: "reference" }, [
    ["SeCaptureSubjectContext", 1, inside(1), "wdm.h", "Toke"],
    ["SeCaptureSubjectContextEx", 3, inside(3), "ntifs.h", "Toke"],
  ]),
  // An access state begins with the captured subject.
  ...group({ fails: "status", releases: byAddress(1, "SeDeleteAccessState"), what: "reference" }, [
    ["SeCreateAccessState", 4, inside(1), "exported, no page; as SeCaptureSubjectContext of wdm.h", "Toke"],
  ]),
  ...group({ fails: "status", releases: CLIENT_SECURITY, what: "reference" }, [
    ["SeCreateClientSecurity", 4, inside(4), "ntifs.h", "Toke"],
    ["SeCreateClientSecurityFromSubjectContext", 4, inside(4), "ntifs.h", "Toke"],
  ]),
  ...group({ fails: "status", releases: DEREFERENCE, what: "object" }, [
    ["SeFilterToken", 6, out(6), "ntifs.h", "Toke"],
  ]),
  ...group({ fails: "status", releases: FREE, what: "memory" }, [
    [
      "SeQueryInformationToken",
      3,
      out(3),
      "ntifs.h",
      "Se  ",
      { when: [{ argument: 2, is: { noneOf: IN_PLACE } }] },
    ],
    ["SeLocateProcessImageName", 2, out(2), "ntifs.h", "SePA"],
  ]),
  ...group({ fails: "status", releases: byAddress(1, "SeDeassignSecurity"), what: "memory" }, [
    ["SeAssignSecurity", 7, out(3), "wdm.h"],
    ["SeAssignSecurityEx", 9, out(3), "wdm.h"],
  ]),
  ...group(
    { fails: "status", releases: [...by(1, "SeReleaseSecurityDescriptor"), ...FREE], what: "memory" },
    [
      // Memory of kernel mode is copied only where CaptureIfKernel asks for it.
      ["SeCaptureSecurityDescriptor", 5, out(5), "exported, no page", "SeSd", { when: [isSet(2)] }],
      [
        "SeCaptureSecurityDescriptor",
        5,
        out(5),
        "exported, no page",
        "SeSd",
        { when: [isZero(2), isSet(4)] },
      ],
    ],
  ),
  ...group({ fails: "status", releases: by(1, "ObReleaseObjectSecurity"), what: "memory" }, [
    ["ObGetObjectSecurity", 3, out(2), "wdm.h"],
  ]),
  ...group({ fails: "false", releases: by(1, "SeFreePrivileges"), what: "memory" }, [
    // The privileges that were used come out; none is a NULL pointer, also where access was granted.
    ["SeAccessCheck", 10, out(6), "wdm.h", "", { fails: "null", when: [isSet(6)] }],
  ]),
];
