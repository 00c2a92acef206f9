# The delay import of wwilib.sys as Microsoft's linker lays it out: descriptor, its IAT in .data with the slots
# pointing to the load thunks, names, and the thunks. GNU tools have another form of it.
    .section .rdata,"dr"
    .globl  __delay_descriptor
    .p2align 3
__delay_descriptor:
    .long   1                       # attributes: fields are RVAs
    .rva    .Lname, .Lhandle, .Liat, .Lint
    .long   0, 0, 0
    .long   0, 0, 0, 0, 0, 0, 0, 0
    .globl  __delay_descriptor_end
__delay_descriptor_end:
.Lname:
    .asciz  "WWILIB.SYS"
    .p2align 3
.Lint:
    .rva    .Lhint0
    .long   0
    .rva    .Lhint1
    .long   0
    .quad   0
.Lhint0:
    .short  0
    .asciz  "WwiAllocate"
    .p2align 1
.Lhint1:
    .short  2
    .asciz  "WwiFree"

    .data
    .p2align 3
.Lhandle:
    .quad   0
    .globl  __imp_delay_WwiAllocate, __imp_delay_WwiFree
.Liat:
__imp_delay_WwiAllocate:
    .quad   __imp_load_WwiAllocate
__imp_delay_WwiFree:
    .quad   __imp_load_WwiFree
    .quad   0

    .text
    .p2align 4,0xcc
    .def    __imp_load_WwiAllocate; .scl 3; .type 32; .endef
__imp_load_WwiAllocate:
    leaq    __imp_delay_WwiAllocate(%rip), %rax
    jmp     __tailMerge_WWILIB_SYS
__imp_load_WwiAllocate.end:
    .p2align 4,0xcc
    .def    __imp_load_WwiFree; .scl 3; .type 32; .endef
__imp_load_WwiFree:
    leaq    __imp_delay_WwiFree(%rip), %rax
    jmp     __tailMerge_WWILIB_SYS
__imp_load_WwiFree.end:
    .p2align 4,0xcc
    .def    __tailMerge_WWILIB_SYS; .scl 3; .type 32; .endef
    .seh_proc __tailMerge_WWILIB_SYS
__tailMerge_WWILIB_SYS:
    subq    $0x48, %rsp
    .seh_stackalloc 0x48
    .seh_endprologue
    movq    %rcx, 0x20(%rsp)
    movq    %rdx, 0x28(%rsp)
    movq    %rax, %rdx
    leaq    __delay_descriptor(%rip), %rcx
    call    *__imp_MmGetSystemRoutineAddress(%rip)
    movq    0x20(%rsp), %rcx
    movq    0x28(%rsp), %rdx
    addq    $0x48, %rsp
    jmp     *%rax
    .seh_endproc
