meta:
  id: context_x86
  title: CONTEXT of x86
  endian: le
doc: The registers of a 32-bit processor; the extended floating-point state behind them is left out.
seq:
  - id: context_flags
    type: u4
    doc: ContextFlags
  - id: dr0
    type: u4
  - id: dr1
    type: u4
  - id: dr2
    type: u4
  - id: dr3
    type: u4
  - id: dr6
    type: u4
  - id: dr7
    type: u4
  - id: float_save
    size: 112
    doc: FloatSave
  - id: gs
    type: u4
    doc: SegGs
  - id: fs
    type: u4
    doc: SegFs
  - id: es
    type: u4
    doc: SegEs
  - id: ds
    type: u4
    doc: SegDs
  - id: edi
    type: u4
  - id: esi
    type: u4
  - id: ebx
    type: u4
  - id: edx
    type: u4
  - id: ecx
    type: u4
  - id: eax
    type: u4
  - id: ebp
    type: u4
  - id: eip
    type: u4
  - id: cs
    type: u4
    doc: SegCs
  - id: eflags
    type: u4
    doc: EFlags
  - id: esp
    type: u4
  - id: ss
    type: u4
    doc: SegSs
