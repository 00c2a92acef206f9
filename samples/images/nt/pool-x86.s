# The tag tracker, in the shape in which 32-bit multiprocessor kernels hash a tag: 9E5Fh, the high half against the
# low half, a table of tables indexed by the processor number, stride 1Ch.
# And SeOpenObjectAuditAlarm, whose rare part stands far away and is reached by a conditional jump only.
#
# @use 'Se  ' SeOpenObjectAuditAlarm allocate

.macro HASH found, empty
    movl    $0x9e5f, %edx
    movl    %edi, %eax
    mull    %edx
    xorl    %eax, %edx
    andl    _PoolTrackTableMask, %edx
    movl    %edx, %ebx
    movzbl  %fs:0x51, %eax
    movl    _ExPoolTagTables(,%eax,4), %ecx
1:  imull   $0x1c, %ebx, %eax
    addl    %ecx, %eax
    cmpl    %edi, (%eax)
    je      \found
    cmpl    $0, (%eax)
    je      \empty
    incl    %ebx
    andl    _PoolTrackTableMask, %ebx
    cmpl    %edx, %ebx
    jne     1b
    movl    _PoolTrackTableSize, %ebx
    decl    %ebx
    imull   $0x1c, %ebx, %eax
    addl    %ecx, %eax
.endm

    .text
    .globl  _ExpInsertPoolTracker@12
    .def    _ExpInsertPoolTracker@12; .scl 2; .type 32; .endef
_ExpInsertPoolTracker@12:
    pushl   %ebp
    movl    %esp, %ebp
    pushl   %ebx
    pushl   %esi
    pushl   %edi
    movl    8(%ebp), %edi
    andl    $0x7fffffff, %edi
    movl    12(%ebp), %esi
    HASH    Linsert_found, Linsert_claim
    jmp     Linsert_found
Linsert_claim:
    imull   $0x1c, %ebx, %ebx
    addl    _PoolTrackTable, %ebx
    movl    %edi, (%ebx)
    movl    %edi, (%eax)
Linsert_found:
    testb   $1, 16(%ebp)
    jne     Linsert_paged
    lock incl 4(%eax)
    lock addl %esi, 12(%eax)
    jmp     Linsert_done
Linsert_paged:
    lock incl 16(%eax)
    lock addl %esi, 24(%eax)
Linsert_done:
    popl    %edi
    popl    %esi
    popl    %ebx
    popl    %ebp
    ret     $12
_ExpInsertPoolTracker@12.end:

    .p2align 4,0xcc
    .globl  _ExpRemovePoolTracker@12
    .def    _ExpRemovePoolTracker@12; .scl 2; .type 32; .endef
_ExpRemovePoolTracker@12:
    pushl   %ebp
    movl    %esp, %ebp
    pushl   %ebx
    pushl   %esi
    pushl   %edi
    movl    8(%ebp), %edi
    andl    $0x7fffffff, %edi
    movl    12(%ebp), %esi
    HASH    Lremove_found, Lremove_done
Lremove_found:
    testb   $1, 16(%ebp)
    jne     Lremove_paged
    lock incl 8(%eax)
    lock subl %esi, 12(%eax)
    jmp     Lremove_done
Lremove_paged:
    lock incl 20(%eax)
    lock subl %esi, 24(%eax)
Lremove_done:
    popl    %edi
    popl    %esi
    popl    %ebx
    popl    %ebp
    ret     $12
_ExpRemovePoolTracker@12.end:

    .p2align 4,0xcc
    .globl  _ExGetPoolTagUsage@8
    .def    _ExGetPoolTagUsage@8; .scl 2; .type 32; .endef
_ExGetPoolTagUsage@8:
    pushl   %ebp
    movl    %esp, %ebp
    pushl   %ebx
    pushl   %edi
    movl    8(%ebp), %edi
    HASH    Lusage_found, Lusage_none
Lusage_none:
    xorl    %eax, %eax
    jmp     Lusage_done
Lusage_found:
    movl    24(%eax), %ecx
    movl    12(%ebp), %edx
    movl    %ecx, (%edx)
    movl    $1, %eax
Lusage_done:
    popl    %edi
    popl    %ebx
    popl    %ebp
    ret     $8
_ExGetPoolTagUsage@8.end:

    .p2align 4,0xcc
    .globl  _SeOpenObjectAuditAlarm@12
    .def    _SeOpenObjectAuditAlarm@12; .scl 2; .type 32; .endef
_SeOpenObjectAuditAlarm@12:
    pushl   %ebx
    movl    8(%esp), %ebx
    testl   $0x40000000, 16(%esp)
    jne     _SeOpenObjectAuditAlarm@12.cold
Lalarm_back:
    popl    %ebx
    ret     $12
_SeOpenObjectAuditAlarm@12.end:

    .section .text.unlikely,"x"
    .p2align 4,0xcc
    .def    _SeOpenObjectAuditAlarm@12.cold; .scl 3; .type 32; .endef
_SeOpenObjectAuditAlarm@12.cold:
    movl    $0x20206553, %ecx
    movzwl  (%ebx), %eax
    addl    $0x10, %eax
    pushl   %ecx
    pushl   %eax
    pushl   $1
    call    _ExAllocatePoolWithTag@12
    testl   %eax, %eax
    je      Lalarm_back
    movl    %ebx, (%eax)
    jmp     Lalarm_back
_SeOpenObjectAuditAlarm@12.cold.end:
