/* A hal as in current Windows: a little code of its own, most exports forwarded to the kernel. */
#include "nt.h"

static ULONG HalpRegisters[16];
static ULONG64 HalpCounter;

ULONG NTAPI HalGetInterruptVector(ULONG interface, ULONG bus, ULONG level) { return interface == 1 ? 0x30 + level : 0x50 + bus * 8 + level; }

ULONG NTAPI HalReadBootRegister(ULONG index) {
  if (index > 15) KeBugCheckEx(0x5C, index, 0, 0, 0);
  return HalpRegisters[index & 15];
}

void NTAPI HalDisplayString(const char *text) {
  for (ULONG i = 0; text[i] != 0; i++) HalpRegisters[i & 15] ^= (ULONG)text[i];
}

ULONG64 NTAPI KeQueryPerformanceCounter(ULONG64 *frequency) {
  if (frequency != 0) *frequency = 10000000;
  return ++HalpCounter;
}

void NTAPI KeStallExecutionProcessor(ULONG microseconds) {
  while (microseconds--) HalpCounter += 10;
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  HalpRegisters[0] = driver != 0 && path != 0 ? driver->Size : (ULONG)KeQueryPerformanceCounter(0);
  return STATUS_SUCCESS;
}
