meta:
  id: context_arm64
  title: CONTEXT of ARM64
  endian: le
  imports:
    - u64
doc: The registers of an ARM64 processor; the debug registers behind them are left out.
seq:
  - id: context_flags
    type: u4
    doc: ContextFlags
  - id: cpsr
    type: u4
    doc: Cpsr
  - id: x0
    type: u64
  - id: x1
    type: u64
  - id: x2
    type: u64
  - id: x3
    type: u64
  - id: x4
    type: u64
  - id: x5
    type: u64
  - id: x6
    type: u64
  - id: x7
    type: u64
  - id: x8
    type: u64
  - id: x9
    type: u64
  - id: x10
    type: u64
  - id: x11
    type: u64
  - id: x12
    type: u64
  - id: x13
    type: u64
  - id: x14
    type: u64
  - id: x15
    type: u64
  - id: x16
    type: u64
  - id: x17
    type: u64
  - id: x18
    type: u64
  - id: x19
    type: u64
  - id: x20
    type: u64
  - id: x21
    type: u64
  - id: x22
    type: u64
  - id: x23
    type: u64
  - id: x24
    type: u64
  - id: x25
    type: u64
  - id: x26
    type: u64
  - id: x27
    type: u64
  - id: x28
    type: u64
  - id: fp
    type: u64
  - id: lr
    type: u64
  - id: sp
    type: u64
  - id: pc
    type: u64
  - id: vectors
    size: 512
    doc: V0 to V31
  - id: fpcr
    type: u4
    doc: Fpcr
  - id: fpsr
    type: u4
    doc: Fpsr
