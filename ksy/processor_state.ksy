meta:
  id: processor_state
  title: KPROCESSOR_STATE
  endian: le
  imports:
    - word
doc: |
  What a processor saved before the machine was hibernated, as far as its place is the same in all versions of Windows:
  x64 has the registers of the system first, and x86 the CONTEXT.
params:
  - id: bits
    type: u1
    doc: 32 or 64
seq:
  - id: context
    size: 0x2cc
    if: bits == 32
    doc: ContextFrame
  - id: cr0
    type: word(bits)
    doc: SpecialRegisters.Cr0
  - id: cr2
    type: word(bits)
    doc: SpecialRegisters.Cr2
  - id: cr3
    type: word(bits)
    doc: SpecialRegisters.Cr3
  - id: cr4
    type: word(bits)
    doc: SpecialRegisters.Cr4
