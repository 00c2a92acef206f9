import type { Abi } from "../abi.ts";

/** General-purpose registers by their number in the encoding: rax is 0, rsp 4, r15 15. */
export const Reg = { ax: 0, cx: 1, dx: 2, bx: 3, sp: 4, bp: 5, si: 6, di: 7, r8: 8, r9: 9, r10: 10 } as const;

/** In 32-bit code: the first two arguments stand in registers. */
const FASTCALL =
  /^@|^(?:Iof|Obf|Kf|Exf|Interlocked|ExInterlocked|KeAcquireInStackQueued|KeReleaseInStackQueued)/;

/** `__stdcall`, and `__fastcall` where the function's name tells. */
export const x86Abi: Abi = {
  pointerSize: 4,
  argumentRegisters: [Reg.cx, Reg.dx],
  takesRegisters: (name) => name !== undefined && FASTCALL.test(name),
  homeBytes: 0,
  calleePops: true,
  result: Reg.ax,
  second: Reg.dx,
  stackPointer: Reg.sp,
  framePointer: Reg.bp,
  preserved: new Set([Reg.bx, Reg.bp, Reg.si, Reg.di]),
  volatile: [Reg.ax, Reg.cx, Reg.dx],
};

/** @see Microsoft x64 calling convention */
export const x64Abi: Abi = {
  pointerSize: 8,
  argumentRegisters: [Reg.cx, Reg.dx, Reg.r8, Reg.r9],
  takesRegisters: () => true,
  homeBytes: 0x20,
  calleePops: false,
  result: Reg.ax,
  second: undefined,
  stackPointer: Reg.sp,
  framePointer: Reg.bp,
  preserved: new Set([Reg.bx, Reg.bp, Reg.si, Reg.di, 12, 13, 14, 15]),
  volatile: [Reg.ax, Reg.cx, Reg.dx, Reg.r8, Reg.r9, Reg.r10, 11],
};
