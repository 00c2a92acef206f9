meta:
  id: summary_dump
  title: SUMMARY_DUMP32 and SUMMARY_DUMP64
  endian: le
  imports:
    - word
doc: |
  What stands after the header of a kernel dump of Windows 2000 to 7 (DumpType 2). The bits follow, one for
  each physical page.
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
  - id: padding
    size: 4
    if: bits == 64
  - id: buffer
    type: word(bits)
    doc: Bitmap.Buffer, an address of the dumped machine
