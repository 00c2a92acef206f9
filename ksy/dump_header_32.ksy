meta:
  id: dump_header_32
  title: DUMP_HEADER32
  endian: le
  imports:
    - u64
doc: |
  The first 0x1000 bytes of a 32-bit kernel dump. The writer fills all of them with "PAGE" and then
  overwrites what it knows, so a field that reads PAGE is absent.
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
    doc: MinorVersion, the build of Windows
  - id: directory_table_base
    type: u4
    doc: DirectoryTableBase
  - id: pfn_data_base
    type: u4
    doc: PfnDataBase
  - id: ps_loaded_module_list
    type: u4
    doc: PsLoadedModuleList
  - id: ps_active_process_head
    type: u4
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
  - id: bug_check_parameters
    type: u4
    repeat: expr
    repeat-expr: 4
    doc: BugCheckParameter1 to BugCheckParameter4
  - id: version_user
    size: 32
    doc: VersionUser
  - id: pae_enabled
    type: u1
    doc: PaeEnabled
  - id: kd_secondary_version
    type: u1
    doc: KdSecondaryVersion
  - id: spare
    size: 2
  - id: kd_debugger_data_block
    type: u4
    doc: KdDebuggerDataBlock
  - id: physical_memory_block
    size: 700
    doc: PhysicalMemoryBlock, PHYSICAL_MEMORY_DESCRIPTOR32, then runs
  - id: context_record
    size: 1200
    doc: ContextRecord
  - id: exception
    type: exception_record
    doc: Exception
  - id: comment
    size: 128
    doc: Comment
  - id: attributes
    type: u4
    doc: Attributes
  - id: boot_id
    type: u4
    doc: BootId
  - id: reserved_0
    size: 1760
  - id: dump_type
    type: u4
    doc: DumpType
  - id: mini_dump_fields
    type: u4
    doc: MiniDumpFields
  - id: secondary_data_state
    type: u4
    doc: SecondaryDataState
  - id: product_type
    type: u4
    doc: ProductType
  - id: suite_mask
    type: u4
    doc: SuiteMask
  - id: writer_status
    type: u4
    doc: WriterStatus
  - id: required_dump_space
    type: u64
    doc: RequiredDumpSpace, in bytes
  - id: reserved_1
    size: 16
  - id: system_up_time
    type: u64
    doc: SystemUpTime, in 100 ns
  - id: system_time
    type: u64
    doc: SystemTime, a FILETIME
  - id: reserved_2
    size: 56
types:
  exception_record:
    doc: EXCEPTION_RECORD32
    seq:
      - id: code
        type: u4
        doc: ExceptionCode
      - id: flags
        type: u4
        doc: ExceptionFlags
      - id: next
        type: u4
        doc: ExceptionRecord
      - id: address
        type: u4
        doc: ExceptionAddress
      - id: parameter_count
        type: u4
        doc: NumberParameters
      - id: parameters
        type: u4
        repeat: expr
        repeat-expr: 15
        doc: ExceptionInformation
