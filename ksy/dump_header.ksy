meta:
  id: dump_header
  title: DUMP_HEADER32 and DUMP_HEADER64
  endian: le
  imports:
    - u64
    - word
doc: |
  The first 0x1000 bytes of a 32-bit kernel dump, or 0x2000 of a 64-bit one. The writer fills all of them with
  "PAGE" and then overwrites what it knows, so a field that reads PAGE is absent; so does the padding. Up to
  the exception both have the same order; behind it each has its own, so those fields stand by their offsets.
params:
  - id: bits
    type: u1
    doc: 32 or 64
seq:
  - id: signature
    size: 4
    doc: Signature
  - id: valid_dump
    size: 4
    doc: ValidDump
  - id: major_version
    type: u4
    doc: MajorVersion, 0xf in a free build and 0xc in a checked one
  - id: minor_version
    type: u4
    doc: MinorVersion, the build of Windows, without its updates
  - id: directory_table_base
    type: word(bits)
    doc: DirectoryTableBase
  - id: pfn_data_base
    type: word(bits)
    doc: PfnDataBase, the database, or in dumps that a debugger wrote the variable that points to it
  - id: ps_loaded_module_list
    type: word(bits)
    doc: PsLoadedModuleList
  - id: ps_active_process_head
    type: word(bits)
    doc: PsActiveProcessHead
  - id: machine_image_type
    type: u4
    doc: MachineImageType
  - id: number_processors
    type: u4
    doc: NumberProcessors
  - id: bug_check_code
    type: u4
    doc: BugCheckCode
  - id: padding_0
    size: 4
    if: bits == 64
  - id: bug_check_parameters
    type: word(bits)
    repeat: expr
    repeat-expr: 4
    doc: BugCheckParameter1 to BugCheckParameter4
  - id: version_user
    size: 32
    doc: VersionUser
  - id: pae_enabled
    type: u1
    if: bits == 32
    doc: PaeEnabled
  - id: unused_32
    size: 3
    if: bits == 32
    doc: KdSecondaryVersion and padding
  - id: kd_debugger_data_block
    type: word(bits)
    doc: KdDebuggerDataBlock
  - id: physical_memory_block
    size: 700
    doc: PhysicalMemoryBlock, PHYSICAL_MEMORY_DESCRIPTOR32 or 64, then runs
  - id: padding_1
    size: 4
    if: bits == 64
  - id: context_record
    size: 'bits == 64 ? 3000 : 1200'
    doc: ContextRecord
  - id: exception
    type: exception_record(bits)
    doc: Exception
instances:
  dump_type:
    pos: 'bits == 64 ? 0xf98 : 0xf88'
    type: u4
    doc: DumpType
  required_dump_space:
    pos: 0xfa0
    type: u64
    doc: RequiredDumpSpace, in bytes
  system_time:
    pos: 'bits == 64 ? 0xfa8 : 0xfc0'
    type: u64
    doc: SystemTime, a FILETIME
  system_up_time:
    pos: 'bits == 64 ? 0x1030 : 0xfb8'
    type: u64
    doc: SystemUpTime, in 100 ns
  comment:
    pos: 'bits == 64 ? 0xfb0 : 0x820'
    size: 128
    doc: Comment
  mini_dump_fields:
    pos: 'bits == 64 ? 0x1038 : 0xf8c'
    type: u4
    doc: MiniDumpFields
  secondary_data_state:
    pos: 'bits == 64 ? 0x103c : 0xf90'
    type: u4
    doc: SecondaryDataState
  product_type:
    pos: 'bits == 64 ? 0x1040 : 0xf94'
    type: u4
    doc: ProductType
  suite_mask:
    pos: 'bits == 64 ? 0x1044 : 0xf98'
    type: u4
    doc: SuiteMask
  writer_status:
    pos: 'bits == 64 ? 0x1048 : 0xf9c'
    type: u4
    doc: WriterStatus
  attributes:
    pos: 'bits == 64 ? 0x1050 : 0x8a0'
    type: u4
    doc: Attributes
types:
  exception_record:
    doc: EXCEPTION_RECORD32 and EXCEPTION_RECORD64
    params:
      - id: bits
        type: u1
    seq:
      - id: code
        type: u4
        doc: ExceptionCode
      - id: flags
        type: u4
        doc: ExceptionFlags
      - id: next
        type: word(bits)
        doc: ExceptionRecord
      - id: address
        type: word(bits)
        doc: ExceptionAddress
      - id: parameter_count
        type: u4
        doc: NumberParameters
      - id: padding
        size: 4
        if: bits == 64
      - id: parameters
        type: word(bits)
        repeat: expr
        repeat-expr: 15
        doc: ExceptionInformation
