meta:
  id: context_x64
  title: CONTEXT of x64
  endian: le
  imports:
    - u64
doc: The registers of an x64 processor; the floating-point and vector state behind them is left out.
seq:
  - id: homes
    size: 48
    doc: P1Home to P6Home
  - id: context_flags
    type: u4
    doc: ContextFlags
  - id: mxcsr
    type: u4
    doc: MxCsr
  - id: cs
    type: u2
    doc: SegCs
  - id: ds
    type: u2
    doc: SegDs
  - id: es
    type: u2
    doc: SegEs
  - id: fs
    type: u2
    doc: SegFs
  - id: gs
    type: u2
    doc: SegGs
  - id: ss
    type: u2
    doc: SegSs
  - id: rflags
    type: u4
    doc: EFlags
  - id: dr0
    type: u64
  - id: dr1
    type: u64
  - id: dr2
    type: u64
  - id: dr3
    type: u64
  - id: dr6
    type: u64
  - id: dr7
    type: u64
  - id: rax
    type: u64
  - id: rcx
    type: u64
  - id: rdx
    type: u64
  - id: rbx
    type: u64
  - id: rsp
    type: u64
  - id: rbp
    type: u64
  - id: rsi
    type: u64
  - id: rdi
    type: u64
  - id: r8
    type: u64
  - id: r9
    type: u64
  - id: r10
    type: u64
  - id: r11
    type: u64
  - id: r12
    type: u64
  - id: r13
    type: u64
  - id: r14
    type: u64
  - id: r15
    type: u64
  - id: rip
    type: u64
