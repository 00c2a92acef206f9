# The delay import of wwilib.sys as Microsoft's linker lays it out: descriptor, its IAT in .data with the slots
# pointing to the load thunks, names, and the thunks. GNU tools have another form of it.
    .section .rdata,"dr"
    .globl  ___delay_descriptor
    .p2align 2
___delay_descriptor:
    .long   1                       # attributes: fields are RVAs
    .rva    Lname, Lhandle, Liat, Lint
    .long   0, 0, 0
    .long   0, 0, 0, 0, 0, 0, 0, 0
    .globl  ___delay_descriptor_end
___delay_descriptor_end:
Lname:
    .asciz  "WWILIB.SYS"
    .p2align 2
Lint:
    .rva    Lhint0, Lhint1
    .long   0
Lhint0:
    .short  0
    .asciz  "WwiAllocate"
    .p2align 1
Lhint1:
    .short  2
    .asciz  "WwiFree"

    .data
    .p2align 2
Lhandle:
    .long   0
    .globl  ___imp_delay_WwiAllocate, ___imp_delay_WwiFree
Liat:
___imp_delay_WwiAllocate:
    .long   ___imp_load_WwiAllocate
___imp_delay_WwiFree:
    .long   ___imp_load_WwiFree
    .long   0

    .text
    .p2align 4,0xcc
    .def    ___imp_load_WwiAllocate; .scl 3; .type 32; .endef
___imp_load_WwiAllocate:
    movl    $___imp_delay_WwiAllocate, %eax
    jmp     ___tailMerge_WWILIB_SYS
___imp_load_WwiAllocate.end:
    .p2align 4,0xcc
    .def    ___imp_load_WwiFree; .scl 3; .type 32; .endef
___imp_load_WwiFree:
    movl    $___imp_delay_WwiFree, %eax
    jmp     ___tailMerge_WWILIB_SYS
___imp_load_WwiFree.end:
    .p2align 4,0xcc
    .def    ___tailMerge_WWILIB_SYS; .scl 3; .type 32; .endef
___tailMerge_WWILIB_SYS:
    pushl   %ecx
    pushl   %edx
    pushl   %eax
    pushl   $___delay_descriptor
    call    *__imp__MmGetSystemRoutineAddress@4
    addl    $4, %esp
    popl    %edx
    popl    %ecx
    jmp     *%eax
___tailMerge_WWILIB_SYS.end:
