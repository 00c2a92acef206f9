/** Whether no call of an exported function of that name comes back, as documented: it stops the machine, or raises an exception. */
export function neverReturns(name: string): boolean {
  return NEVER_RETURN.has(name);
}

const NEVER_RETURN: ReadonlySet<string> = new Set([
  "KeBugCheck",
  "KeBugCheckEx",
  "ExRaiseStatus",
  "ExRaiseAccessViolation",
  "ExRaiseDatatypeMisalignment",
  "RtlRaiseStatus",
]);
