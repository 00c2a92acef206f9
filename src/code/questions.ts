import { type Callee, namesOf } from "./callees.ts";

/**
 * Functions that compare, look for or ask after what they are given, as the C run-time library's and the kernel's
 * documentation have them: that the answer is no, or not 0, is no error.
 */
const QUESTIONS: ReadonlySet<string> = new Set(
  `memcmp strcmp strncmp stricmp _stricmp strnicmp _strnicmp wcscmp wcsncmp wcsicmp _wcsicmp wcsnicmp _wcsnicmp
  strchr strrchr strstr wcschr wcsrchr wcsstr strlen wcslen strnlen wcsnlen
  RtlCompareMemory RtlCompareString RtlCompareUnicodeString RtlCompareUnicodeStrings RtlEqualLuid RtlEqualSid RtlEqualString
  RtlEqualUnicodeString RtlPrefixString RtlPrefixUnicodeString FsRtlAreNamesEqual FsRtlIsNameInExpression
  PsIsSystemThread PsIsThreadTerminating PsIsProtectedProcess PsIsProtectedProcessLight PsGetProcessExitStatus
  PsGetProcessWow64Process PsGetProcessId PsGetThreadId PsGetProcessInheritedFromUniqueProcessId
  PsGetProcessDebugPort PsGetProcessSessionId IoIsOperationSynchronous IoIsSystemThread`.split(/\s+/),
);

/** Whether a function only answers a question about what it is given. */
export function isQuestion(callee: Callee): boolean {
  return namesOf(callee).some((name) => QUESTIONS.has(name));
}
