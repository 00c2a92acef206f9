/**
 * Functions that compare, look for or ask after what they are given, as the C run-time library's and the kernel's
 * documentation have them: that the answer is no, or not 0, is no error.
 */
const QUESTIONS: ReadonlySet<string> = new Set(
  `memcmp strcmp strncmp stricmp _stricmp strnicmp _strnicmp wcscmp wcsncmp wcsicmp _wcsicmp wcsnicmp _wcsnicmp
  strchr strrchr strstr wcschr wcsrchr wcsstr strlen wcslen strnlen wcsnlen
  RtlCompareMemory RtlCompareString RtlCompareUnicodeString RtlCompareUnicodeStrings RtlEqualLuid RtlEqualSid RtlEqualString
  RtlEqualUnicodeString RtlPrefixString RtlPrefixUnicodeString FsRtlAreNamesEqual FsRtlIsNameInExpression
  SeTokenIsAdmin SeTokenIsRestricted SeTokenIsWriteRestricted SeTokenType SeAccessCheck SePrivilegeCheck
  SeSinglePrivilegeCheck RtlValidSid RtlValidSecurityDescriptor RtlIsNameLegalDOS8Dot3 KeReadStateEvent
  PsIsSystemThread PsIsThreadTerminating PsIsProtectedProcess PsIsProtectedProcessLight PsGetProcessExitStatus
  PsGetProcessWow64Process PsGetProcessId PsGetThreadId PsGetProcessInheritedFromUniqueProcessId
  PsGetProcessDebugPort PsGetProcessSessionId IoIsOperationSynchronous IoIsSystemThread`.split(/\s+/),
);

/** Functions that tell what is next in what they are given: a loop goes on until they fail, since nothing is left. */
const ENUMERATIONS: ReadonlySet<string> = new Set(
  `ZwEnumerateKey NtEnumerateKey ZwEnumerateValueKey NtEnumerateValueKey ZwQueryDirectoryFile NtQueryDirectoryFile
  ZwQueryDirectoryFileEx NtQueryDirectoryFileEx ZwQueryDirectoryObject NtQueryDirectoryObject FltQueryDirectoryFile
  FltQueryDirectoryFileEx`.split(/\s+/),
);

/** Whether a function only answers a question about what it is given. */
export function isQuestion(name: string): boolean {
  return QUESTIONS.has(name) || ENUMERATIONS.has(name);
}

/** Functions of the C run-time library that return their first argument. */
const RETURN_THE_FIRST: ReadonlySet<string> = new Set(
  `memset memcpy memmove strcpy strcat strncpy strncat wcscpy wcscat wcsncpy wcsncat
  _strlwr _strupr _wcslwr _wcsupr`.split(/\s+/),
);

/** Whether a function returns its first argument. */
export function returnsTheFirst(name: string): boolean {
  return RETURN_THE_FIRST.has(name);
}
