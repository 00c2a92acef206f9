meta:
  id: rdmp
  title: RDMP_HEADER64
  endian: le
  imports:
    - u64
doc: |
  What stands after the header of a dump that newer debuggers write (DumpType 8, 9 and 10). Pairs of a page
  frame number and a count of pages follow, u8 each.
seq:
  - id: marker
    type: u4
    doc: Marker, 0x40
  - id: signature
    size: 4
    doc: Signature, RDMP
  - id: valid_dump
    size: 4
    doc: ValidDump
  - id: unused
    type: u4
  - id: metadata_size
    type: u64
    doc: MetadataSize, bytes from 0x20 of this structure to the first page
  - id: first_page_offset
    type: u64
    doc: FirstPageOffset, in the file
  - id: range_count
    type: u4
    doc: NumberOfRanges; in a kernel dump of unknown meaning
  - id: unknown
    size: 4
  - id: page_count
    type: u64
    doc: TotalNumberOfPages; in a kernel dump of unknown meaning
