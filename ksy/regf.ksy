meta:
  id: regf
  title: Registry hive
  endian: le
  imports:
    - u64
doc-ref: Windows registry file format specification (Maxim Suhanov)
doc: |
  A hive is a base block of 4,096 bytes and hive bins. Bins hold cells: a size, negative where the cell is in
  use, then the content. Cells point to each other by offsets from the first bin.
types:
  base_block:
    doc: HBASE_BLOCK, its first 512 bytes
    seq:
      - id: signature
        size: 4
        doc: Signature, regf
      - id: primary_sequence
        type: u4
        doc: Sequence1, counted up before the hive is written
      - id: secondary_sequence
        type: u4
        doc: Sequence2, counted up after it was; another number means that the log files hold newer data
      - id: last_written
        type: u64
        doc: TimeStamp, a FILETIME
      - id: major_version
        type: u4
        doc: Major
      - id: minor_version
        type: u4
        doc: Minor
      - id: file_type
        type: u4
        doc: Type; 0 is a hive, 1, 2 and 6 are transaction logs.
      - id: file_format
        type: u4
        doc: Format
      - id: root_cell
        type: u4
        doc: RootCell, the offset of the root key
      - id: bins_size
        type: u4
        doc: Length, bytes of all bins
      - id: clustering_factor
        type: u4
        doc: Cluster
      - id: file_name
        size: 64
        doc: FileName, the end of its path in UTF-16
      - id: reserved
        size: 396
      - id: checksum
        type: u4
        doc: CheckSum, of the 127 words before it by exclusive or
  bin:
    doc: HBIN
    seq:
      - id: signature
        contents: hbin
      - id: offset
        type: u4
        doc: FileOffset, from the first bin
      - id: size
        type: u4
      - id: reserved
        size: 8
      - id: timestamp
        type: u64
      - id: spare
        type: u4
  key_node:
    doc: CM_KEY_NODE without its name
    seq:
      - id: signature
        contents: nk
      - id: flags
        type: u2
        doc: Flags
      - id: last_written
        type: u64
        doc: LastWriteTime, a FILETIME
      - id: access_bits
        type: u4
      - id: parent
        type: u4
      - id: subkey_count
        type: u4
        doc: SubKeyCounts, of those that are kept in the file
      - id: volatile_subkey_count
        type: u4
      - id: subkey_list
        type: u4
        doc: SubKeyLists
      - id: volatile_subkey_list
        type: u4
      - id: value_count
        type: u4
        doc: ValueList.Count
      - id: value_list
        type: u4
        doc: ValueList.List
      - id: security
        type: u4
      - id: class_name
        type: u4
      - id: longest_subkey_name
        type: u4
      - id: longest_subkey_class
        type: u4
      - id: longest_value_name
        type: u4
      - id: longest_value_data
        type: u4
      - id: work
        type: u4
        doc: WorkVar
      - id: name_length
        type: u2
        doc: NameLength, in bytes
      - id: class_length
        type: u2
    instances:
      is_name_compressed:
        value: (flags & 0x20) != 0
        doc: KEY_COMP_NAME, one byte a character
  key_value:
    doc: CM_KEY_VALUE without its name
    seq:
      - id: signature
        contents: vk
      - id: name_length
        type: u2
        doc: NameLength, in bytes; 0 is the key's default value.
      - id: data_size
        type: u4
        doc: DataLength; with the highest bit the data itself stands in the next field.
      - id: data
        type: u4
        doc: Data, an offset
      - id: kind
        type: u4
        doc: Type, REG_SZ and so on
      - id: flags
        type: u2
      - id: spare
        type: u2
    instances:
      is_name_compressed:
        value: (flags & 1) != 0
        doc: VALUE_COMP_NAME, one byte a character
  list_head:
    doc: The start of CM_KEY_INDEX; offsets follow, in lf and lh each with a hint of 4 bytes.
    seq:
      - id: signature
        size: 2
        doc: li, lf and lh list keys, ri lists such lists.
      - id: count
        type: u2
  big_data:
    doc: CM_BIG_DATA
    seq:
      - id: signature
        contents: db
      - id: count
        type: u2
        doc: Count, of segments
      - id: list
        type: u4
        doc: List, the offset of a cell with the segments' offsets
