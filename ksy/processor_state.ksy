meta:
  id: processor_state
  title: KPROCESSOR_STATE
  endian: le
  imports:
    - u64
doc: |
  The registers that a processor saved when the machine was hibernated, as the public symbols of Windows 7 have them: x64
  has those of the system first, x86 the CONTEXT.
types:
  state_x64:
    seq:
      - id: cr0
        type: u64
        doc: SpecialRegisters.Cr0
      - id: cr2
        type: u64
        doc: SpecialRegisters.Cr2
      - id: cr3
        type: u64
        doc: SpecialRegisters.Cr3
      - id: cr4
        type: u64
        doc: SpecialRegisters.Cr4
      - id: debug_registers
        size: 48
        doc: SpecialRegisters.KernelDr0 to KernelDr7
      - id: gdtr
        size: 16
        doc: SpecialRegisters.Gdtr
      - size: 8
      - id: idtr_base
        type: u64
        doc: SpecialRegisters.Idtr.Base
      - id: selectors
        size: 56
        doc: SpecialRegisters.Tr to Cr8
      - id: msr_gs_base
        type: u64
        doc: SpecialRegisters.MsrGsBase
      - id: msr_gs_swap
        type: u64
        doc: SpecialRegisters.MsrGsSwap
      - id: msr_star
        type: u64
        doc: SpecialRegisters.MsrStar
      - id: msr_l_star
        type: u64
        doc: SpecialRegisters.MsrLStar
      - size: 24
      - id: context
        size: 0x4d0
        doc: ContextFrame
  state_x86:
    seq:
      - id: context
        size: 0x2cc
        doc: ContextFrame
      - id: cr0
        type: u4
        doc: SpecialRegisters.Cr0
      - id: cr2
        type: u4
        doc: SpecialRegisters.Cr2
      - id: cr3
        type: u4
        doc: SpecialRegisters.Cr3
      - id: cr4
        type: u4
        doc: SpecialRegisters.Cr4
      - id: debug_registers
        size: 24
        doc: SpecialRegisters.KernelDr0 to KernelDr7
      - id: gdtr
        size: 8
        doc: SpecialRegisters.Gdtr
      - size: 4
      - id: idtr_base
        type: u4
        doc: SpecialRegisters.Idtr.Base
