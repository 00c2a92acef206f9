meta:
  id: module_entry
  title: LDR_DATA_TABLE_ENTRY and KLDR_DATA_TABLE_ENTRY
  endian: le
  imports:
    - u64
doc: |
  An entry of PsLoadedModuleList. The kernel's own form (KLDR, named so in public symbols since Windows 10)
  and the older one share what stands here. TimeDateStamp is kept by Windows 10 and later only: pass as many
  bytes as the entry has.
types:
  entry_32:
    doc: of 32-bit kernels; 0x44 bytes, or 0x5c from Windows 10 on
    seq:
      - id: flink
        type: u4
        doc: InLoadOrderLinks.Flink
      - id: blink
        type: u4
        doc: InLoadOrderLinks.Blink
      - id: exception_table
        type: u4
        doc: ExceptionTable
      - id: exception_table_size
        type: u4
        doc: ExceptionTableSize
      - id: gp_value
        type: u4
        doc: GpValue
      - id: non_paged_debug_info
        type: u4
        doc: NonPagedDebugInfo
      - id: dll_base
        type: u4
        doc: DllBase
      - id: entry_point
        type: u4
        doc: EntryPoint
      - id: size_of_image
        type: u4
        doc: SizeOfImage, in bytes
      - id: full_dll_name
        type: unicode_string_32
        doc: FullDllName
      - id: base_dll_name
        type: unicode_string_32
        doc: BaseDllName
      - id: flags
        type: u4
        doc: Flags
      - id: load_count
        type: u2
        doc: LoadCount
      - size: 2
      - id: section_pointer
        type: u4
        doc: SectionPointer
      - id: check_sum
        type: u4
        doc: CheckSum
      - size: 0x14
        if: _io.size >= 0x5c
      - id: time_date_stamp
        type: u4
        if: _io.size >= 0x5c
        doc: TimeDateStamp
  entry_64:
    doc: of 64-bit kernels; 0x7c bytes, or 0xa0 from Windows 10 on
    seq:
      - id: flink
        type: u64
        doc: InLoadOrderLinks.Flink
      - id: blink
        type: u64
        doc: InLoadOrderLinks.Blink
      - id: exception_table
        type: u64
        doc: ExceptionTable
      - id: exception_table_size
        type: u4
        doc: ExceptionTableSize
      - size: 4
      - id: gp_value
        type: u64
        doc: GpValue
      - id: non_paged_debug_info
        type: u64
        doc: NonPagedDebugInfo
      - id: dll_base
        type: u64
        doc: DllBase
      - id: entry_point
        type: u64
        doc: EntryPoint
      - id: size_of_image
        type: u4
        doc: SizeOfImage, in bytes
      - size: 4
      - id: full_dll_name
        type: unicode_string_64
        doc: FullDllName
      - id: base_dll_name
        type: unicode_string_64
        doc: BaseDllName
      - id: flags
        type: u4
        doc: Flags
      - id: load_count
        type: u2
        doc: LoadCount
      - size: 2
      - id: section_pointer
        type: u64
        doc: SectionPointer
      - id: check_sum
        type: u4
        doc: CheckSum
      - size: 0x20
        if: _io.size >= 0xa0
      - id: time_date_stamp
        type: u4
        if: _io.size >= 0xa0
        doc: TimeDateStamp
  unicode_string_32:
    doc: UNICODE_STRING
    seq:
      - id: length
        type: u2
        doc: Length, in bytes
      - id: maximum_length
        type: u2
        doc: MaximumLength, in bytes
      - id: buffer
        type: u4
        doc: Buffer
  unicode_string_64:
    doc: UNICODE_STRING
    seq:
      - id: length
        type: u2
        doc: Length, in bytes
      - id: maximum_length
        type: u2
        doc: MaximumLength, in bytes
      - size: 4
      - id: buffer
        type: u64
        doc: Buffer
