meta:
  id: summary_dump_32
  title: SUMMARY_DUMP32
  endian: le
doc: |
  What stands after the header of a kernel dump of Windows 2000 to 7 (DumpType 2). The bits follow, one for
  each physical page.
seq:
  - id: signature
    size: 4
    doc: Signature
  - id: valid_dump
    size: 4
    doc: ValidDump
  - id: dump_options
    type: u4
    doc: DumpOptions, 1 kernel addresses, 2 the current process's too
  - id: header_size
    type: u4
    doc: HeaderSize, where the first page stands in the file
  - id: bitmap_size
    type: u4
    doc: BitmapSize, in bits
  - id: pages
    type: u4
    doc: Pages, how many bits are set
  - id: size_of_bit_map
    type: u4
    doc: Bitmap.SizeOfBitMap, in bits
  - id: buffer
    type: u4
    doc: Bitmap.Buffer, an address of the dumped machine
