meta:
  id: core_notes
  title: What the notes of a virtual machine's core say of a processor
  endian: le
  imports:
    - u64
doc: Sources are QEMU's target/i386/arch_dump.c and VirtualBox's include/VBox/vmm/dbgfcorefmt.h.
types:
  segment:
    seq:
      - id: selector
        type: u4
      - id: limit
        type: u4
      - id: flags
        type: u4
      - id: padding
        type: u4
      - id: base
        type: u64
  qemu_processor:
    doc: QEMUCPUState, of x86 machines; 32-bit registers are zero-extended
    seq:
      - id: version
        type: u4
        doc: version, 1
      - id: size
        type: u4
        doc: size, with these two
      - id: general
        type: u64
        repeat: expr
        repeat-expr: 16
        doc: rax rbx rcx rdx rsi rdi rsp rbp, r8 to r15
      - id: rip
        type: u64
      - id: rflags
        type: u64
      - id: cs
        type: segment
      - id: ds
        type: segment
      - id: es
        type: segment
      - id: fs
        type: segment
      - id: gs
        type: segment
      - id: ss
        type: segment
      - id: ldt
        type: segment
      - id: tr
        type: segment
      - id: gdt
        type: segment
      - id: idt
        type: segment
      - id: cr
        type: u64
        repeat: expr
        repeat-expr: 5
        doc: cr0 to cr4
  qemu_kernel_gs:
    doc: what newer ones have behind qemu_processor
    seq:
      - id: kernel_gs_base
        type: u64
        doc: kernel_gs_base
  vbox_segment:
    seq:
      - id: base
        type: u64
      - id: limit
        type: u4
      - id: attributes
        type: u4
      - id: selector
        type: u2
      - size: 6
  vbox_table:
    seq:
      - id: base
        type: u64
      - id: limit
        type: u4
      - size: 4
  vbox_processor:
    doc: DBGFCORECPU, of formats 0x00010005 and later
    seq:
      - id: general
        type: u64
        repeat: expr
        repeat-expr: 14
        doc: rax rbx rcx rdx rsi rdi, r8 to r15
      - id: rip
        type: u64
      - id: rsp
        type: u64
      - id: rbp
        type: u64
      - id: rflags
        type: u64
        doc: rflags, never filled in older ones
      - id: segments
        type: vbox_segment
        repeat: expr
        repeat-expr: 6
        doc: cs ds es fs gs ss
      - id: cr0
        type: u64
      - id: cr2
        type: u64
      - id: cr3
        type: u64
      - id: cr4
        type: u64
      - id: debug
        type: u64
        repeat: expr
        repeat-expr: 8
        doc: dr0 to dr7
      - id: gdtr
        type: vbox_table
      - id: idtr
        type: vbox_table
      - id: ldtr
        type: vbox_segment
      - id: tr
        type: vbox_segment
      - id: sysenter
        type: u64
        repeat: expr
        repeat-expr: 3
        doc: cs eip esp
      - id: efer
        type: u64
      - id: star
        type: u64
      - id: pat
        type: u64
      - id: lstar
        type: u64
      - id: cstar
        type: u64
      - id: sfmask
        type: u64
      - id: kernel_gs_base
        type: u64
