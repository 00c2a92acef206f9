# The tag tracker, in the shape in which current x64 kernels hash a tag: mask, image base plus the table of tables
# indexed by processor number, 40543 (9E5Fh), high half against low half, stride 38h.
# And SeOpenObjectAuditAlarm, whose rare part stands far away under a chained unwind entry, as Microsoft's linker
# lays out by profile; GNU tools do not make such entries.
#
# @use 'Se  ' SeOpenObjectAuditAlarm allocate

# Finds the slot of the tag in ecx: r13 table, r15 offset, or "taken" in r9d's home with a free slot.
.macro HASH found, empty
    movl    %gs:0x1a4, %edx
    movq    PoolTrackTableMask(%rip), %r8
    movq    PoolTrackTableSize(%rip), %r11
    leaq    __ImageBase(%rip), %rax
    .byte   0x4c, 0x8b, 0xac, 0xd0      # mov r13, [rax+rdx*8+RVA of ExPoolTagTables]
    .rva    ExPoolTagTables
    movl    %r9d, %eax
    imulq   $0x9e5f, %rax, %rcx
    movq    %rcx, %rbx
    shrq    $0x20, %rbx
    xorl    %ecx, %ebx
    andl    %r8d, %ebx
    movl    %ebx, %r10d
1:  movl    %ebx, %eax
    imulq   $0x38, %rax, %r15
    movl    (%r13,%r15), %eax
    cmpl    %r9d, %eax
    je      \found
    testl   %eax, %eax
    je      \empty
    incl    %ebx
    andl    %r8d, %ebx
    cmpl    %r10d, %ebx
    jne     1b
    leal    -1(%r11), %eax
    imulq   $0x38, %rax, %r15
.endm

    .text
    .globl  ExpInsertPoolTracker
    .def    ExpInsertPoolTracker; .scl 2; .type 32; .endef
    .seh_proc ExpInsertPoolTracker
ExpInsertPoolTracker:
    pushq   %rbx
    .seh_pushreg %rbx
    pushq   %rsi
    .seh_pushreg %rsi
    pushq   %rdi
    .seh_pushreg %rdi
    pushq   %r13
    .seh_pushreg %r13
    pushq   %r15
    .seh_pushreg %r15
    subq    $0x20, %rsp
    .seh_stackalloc 0x20
    .seh_endprologue
    movl    %ecx, %r9d
    andl    $0x7fffffff, %r9d
    movq    %rdx, %rdi
    movl    %r8d, %esi
    HASH    .Linsert_found, .Linsert_claim
    jmp     .Linsert_found
.Linsert_claim:
    movq    PoolTrackTable(%rip), %rax
    movl    %r9d, (%rax,%r15)
    movl    %r9d, (%r13,%r15)
.Linsert_found:
    testb   $1, %sil
    jne     .Linsert_paged
    lock incq 0x10(%r13,%r15)
    lock addq %rdi, 0x8(%r13,%r15)
    jmp     .Linsert_done
.Linsert_paged:
    lock incq 0x28(%r13,%r15)
    lock addq %rdi, 0x20(%r13,%r15)
.Linsert_done:
    addq    $0x20, %rsp
    popq    %r15
    popq    %r13
    popq    %rdi
    popq    %rsi
    popq    %rbx
    ret
    .seh_endproc

    .p2align 4,0xcc
    .globl  ExpRemovePoolTracker
    .def    ExpRemovePoolTracker; .scl 2; .type 32; .endef
    .seh_proc ExpRemovePoolTracker
ExpRemovePoolTracker:
    pushq   %rbx
    .seh_pushreg %rbx
    pushq   %rsi
    .seh_pushreg %rsi
    pushq   %rdi
    .seh_pushreg %rdi
    pushq   %r13
    .seh_pushreg %r13
    pushq   %r15
    .seh_pushreg %r15
    subq    $0x20, %rsp
    .seh_stackalloc 0x20
    .seh_endprologue
    movl    %ecx, %r9d
    andl    $0x7fffffff, %r9d
    movq    %rdx, %rdi
    movl    %r8d, %esi
    HASH    .Lremove_found, .Lremove_done
.Lremove_found:
    testb   $1, %sil
    jne     .Lremove_paged
    lock incq 0x18(%r13,%r15)
    lock subq %rdi, 0x8(%r13,%r15)
    jmp     .Lremove_done
.Lremove_paged:
    lock incq 0x30(%r13,%r15)
    lock subq %rdi, 0x20(%r13,%r15)
.Lremove_done:
    addq    $0x20, %rsp
    popq    %r15
    popq    %r13
    popq    %rdi
    popq    %rsi
    popq    %rbx
    ret
    .seh_endproc

    .p2align 4,0xcc
    .globl  ExGetPoolTagUsage
    .def    ExGetPoolTagUsage; .scl 2; .type 32; .endef
    .seh_proc ExGetPoolTagUsage
ExGetPoolTagUsage:
    pushq   %rbx
    .seh_pushreg %rbx
    pushq   %rsi
    .seh_pushreg %rsi
    pushq   %r13
    .seh_pushreg %r13
    pushq   %r15
    .seh_pushreg %r15
    subq    $0x28, %rsp
    .seh_stackalloc 0x28
    .seh_endprologue
    movl    %ecx, %r9d
    andl    $0x7fffffff, %r9d
    movq    %rdx, %rsi
    HASH    .Lusage_found, .Lusage_none
.Lusage_none:
    xorl    %eax, %eax
    jmp     .Lusage_done
.Lusage_found:
    movq    0x20(%r13,%r15), %rax
    movq    %rax, (%rsi)
    movl    $1, %eax
.Lusage_done:
    addq    $0x28, %rsp
    popq    %r15
    popq    %r13
    popq    %rsi
    popq    %rbx
    ret
    .seh_endproc

# void SeOpenObjectAuditAlarm(type, object, flags): rarely keeps a copy of the type's name.
    .p2align 4,0xcc
    .globl  SeOpenObjectAuditAlarm
    .def    SeOpenObjectAuditAlarm; .scl 2; .type 32; .endef
SeOpenObjectAuditAlarm:
    pushq   %rbx
    subq    $0x20, %rsp
.Lalarm_prolog_end:
    movq    %rcx, %rbx
    testl   $0x40000000, %r8d
    jne     SeOpenObjectAuditAlarm.cold
.Lalarm_back:
    addq    $0x20, %rsp
    popq    %rbx
    ret
SeOpenObjectAuditAlarm.end:

    .p2align 4,0xcc
    .section .text.unlikely,"x"
    .p2align 4,0xcc
    .def    SeOpenObjectAuditAlarm.cold; .scl 3; .type 32; .endef
SeOpenObjectAuditAlarm.cold:
    movzwl  (%rbx), %edx
    movl    $0x20206553, %r8d
    addl    $0x10, %edx
    movl    $1, %ecx
    call    ExAllocatePoolWithTag
    testq   %rax, %rax
    je      .Lalarm_back
    movq    %rbx, (%rax)
    jmp     .Lalarm_back
SeOpenObjectAuditAlarm.cold.end:

    .section .xdata
    .p2align 2
.Lalarm_unwind:
    .byte   0x01, .Lalarm_prolog_end - SeOpenObjectAuditAlarm, 2, 0
    .byte   .Lalarm_prolog_end - SeOpenObjectAuditAlarm, 0x32, 1, 0x30
.Lalarm_chained:
    .byte   0x21, 0, 0, 0
    .rva    SeOpenObjectAuditAlarm, SeOpenObjectAuditAlarm.end, .Lalarm_unwind

    .section .pdata
    .rva    SeOpenObjectAuditAlarm, SeOpenObjectAuditAlarm.end, .Lalarm_unwind
    .rva    SeOpenObjectAuditAlarm.cold, SeOpenObjectAuditAlarm.cold.end, .Lalarm_chained
