meta:
  id: triage_dump
  title: TRIAGE_DUMP32 and TRIAGE_DUMP64
  endian: le
  imports:
    - word
doc: |
  What stands after the header of a triage dump (DumpType 4), and the records it leads to. Every offset is
  of the file. The data blocks are read in bulk by src/dump/triage-blocks.ts.
params:
  - id: bits
    type: u1
    doc: 32 or 64
seq:
  - id: service_pack_build
    type: u4
    doc: ServicePackBuild
  - id: size_of_dump
    type: u4
    doc: SizeOfDump, where the triage part ends; tagged blobs may follow
  - id: valid_offset
    type: u4
    doc: ValidOffset, where TRGD stands
  - id: context_offset
    type: u4
    doc: ContextOffset
  - id: exception_offset
    type: u4
    doc: ExceptionOffset
  - id: mm_offset
    type: u4
    doc: MmOffset
  - id: unloaded_drivers_offset
    type: u4
    doc: UnloadedDriversOffset
  - id: prcb_offset
    type: u4
    doc: PrcbOffset
  - id: process_offset
    type: u4
    doc: ProcessOffset
  - id: thread_offset
    type: u4
    doc: ThreadOffset
  - id: call_stack_offset
    type: u4
    doc: CallStackOffset
  - id: size_of_call_stack
    type: u4
    doc: SizeOfCallStack
  - id: driver_list_offset
    type: u4
    doc: DriverListOffset
  - id: driver_count
    type: u4
    doc: DriverCount
  - id: string_pool_offset
    type: u4
    doc: StringPoolOffset
  - id: string_pool_size
    type: u4
    doc: StringPoolSize
  - id: broken_driver_offset
    type: u4
    doc: BrokenDriverOffset
  - id: triage_options
    type: u4
    doc: TriageOptions
  - id: top_of_stack
    type: word(bits)
    doc: TopOfStack, the lowest address of the stack that was saved
  - id: ia64
    size: 16
    if: bits == 64
    doc: ArchitectureSpecific, of Itanium only
  - id: data_page_address
    type: word(bits)
    doc: DataPageAddress
  - id: data_page_offset
    type: u4
    doc: DataPageOffset
  - id: data_page_size
    type: u4
    doc: DataPageSize
  - id: debugger_data_offset
    type: u4
    doc: DebuggerDataOffset
  - id: debugger_data_size
    type: u4
    doc: DebuggerDataSize
  - id: data_blocks_offset
    type: u4
    doc: DataBlocksOffset
  - id: data_blocks_count
    type: u4
    doc: DataBlocksCount
types:
  driver_entry:
    doc: DUMP_DRIVER_ENTRY32 and DUMP_DRIVER_ENTRY64
    params:
      - id: bits
        type: u1
    seq:
      - id: driver_name_offset
        type: u4
        doc: DriverNameOffset, of a DUMP_STRING in the file
      - id: padding
        size: 4
        if: bits == 64
      - id: links
        size: 'bits == 64 ? 48 : 24'
        doc: the pointers of KLDR_DATA_TABLE_ENTRY, all zero
      - id: dll_base
        type: word(bits)
        doc: DllBase
      - id: entry_point
        type: word(bits)
        doc: EntryPoint
      - id: size_of_image
        type: u4
        doc: SizeOfImage
      - id: names
        size: 'bits == 64 ? 52 : 28'
        doc: further fields of the loader, all zero
      - id: check_sum
        type: u4
        doc: CheckSum
      - id: padding_1
        size: 4
        if: bits == 64
      - id: time_date_stamp
        type: u4
        doc: TimeDateStamp
      - id: padding_2
        size: 4
        if: bits == 64
  unloaded_driver:
    doc: DUMP_UNLOADED_DRIVERS32 and DUMP_UNLOADED_DRIVERS64
    params:
      - id: bits
        type: u1
    seq:
      - id: name_length
        type: u2
        doc: Name.Length, in bytes; may be more than were kept
      - id: name_maximum_length
        type: u2
        doc: Name.MaximumLength
      - id: padding
        size: 4
        if: bits == 64
      - id: name_buffer
        type: word(bits)
        doc: Name.Buffer
      - id: driver_name
        size: 24
        doc: DriverName, the first twelve characters
      - id: start_address
        type: word(bits)
        doc: StartAddress
      - id: end_address
        type: word(bits)
        doc: EndAddress
  mm_storage:
    doc: DUMP_MM_STORAGE32 and DUMP_MM_STORAGE64
    params:
      - id: bits
        type: u1
    seq:
      - id: version
        type: u4
        doc: Version
      - id: size
        type: u4
        doc: Size
      - id: special_pool_tag
        type: u4
        doc: MmSpecialPoolTag
      - id: triage_action_taken
        type: u4
        doc: MiTriageActionTaken
      - id: verify_driver_level
        type: u4
        doc: MmVerifyDriverLevel
      - id: kernel_verifier
        type: u4
        doc: KernelVerifier
      - id: maximum_non_paged_pool
        type: word(bits)
        doc: MmMaximumNonPagedPool, in pages
      - id: allocated_non_paged_pool
        type: word(bits)
        doc: MmAllocatedNonPagedPool, in pages
      - id: paged_pool_maximum
        type: word(bits)
        doc: PagedPoolMaximum, in pages
      - id: paged_pool_allocated
        type: word(bits)
        doc: PagedPoolAllocated, in pages
      - id: committed_pages
        type: word(bits)
        doc: CommittedPages
      - id: committed_pages_peak
        type: word(bits)
        doc: CommittedPagesPeak
      - id: commit_limit_maximum
        type: word(bits)
        doc: CommitLimitMaximum, in pages
