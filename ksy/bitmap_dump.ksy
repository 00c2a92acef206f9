meta:
  id: bitmap_dump
  title: BITMAP_DUMP
  endian: le
  imports:
    - u64
doc: |
  What stands after the header of a full or kernel dump of Windows 8 and later (DumpType 5 and 6), 32 and
  64 bit. The bits follow, one for each physical page.
seq:
  - id: signature
    size: 4
    doc: Signature, SDMP for the kernel's pages, FDMP for all
  - id: valid_dump
    size: 4
    doc: ValidDump
  - id: dump_options
    type: u4
    doc: DumpOptions, of no use to a reader
  - id: unused
    size: 20
  - id: header_size
    type: u64
    doc: HeaderSize, where the first page stands in the file
  - id: pages
    type: u64
    doc: Pages, how many bits are set
  - id: bitmap_size
    type: u64
    doc: BitmapSize, in bits
