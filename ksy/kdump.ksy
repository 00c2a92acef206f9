meta:
  id: kdump
  title: The headers of a compressed core (kdump)
  endian: le
  imports:
    - u64
doc: |
  Sources are makedumpfile's diskdump_mod.h and QEMU's dump.h. Blocks have the size that the header says; the sub header
  is in the second, two bitmaps of pages follow, then a descriptor for each page that is in the file.
types:
  header:
    seq:
      - id: signature
        size: 8
        doc: "KDUMP and three blanks"
      - id: header_version
        type: u4
      - id: utsname
        size: 390
      - size: 6
      - id: timestamp
        size: 16
      - id: status
        type: u4
        doc: "1: zlib, 2: lzo, 4: snappy, 0x20: zstd"
      - id: block_size
        type: u4
      - id: sub_header_blocks
        type: u4
        doc: sub_hdr_size
      - id: bitmap_blocks
        type: u4
        doc: of both bitmaps
      - id: max_pfn
        type: u4
        doc: max_mapnr, where the sub header has no wider one
  sub_header:
    seq:
      - id: phys_base
        type: u64
      - id: dump_level
        type: u4
      - id: split
        type: u4
      - id: start_pfn
        type: u64
      - id: end_pfn
        type: u64
      - id: vmcoreinfo_offset
        type: u64
      - id: vmcoreinfo_size
        type: u64
      - id: note_offset
        type: u64
      - id: note_size
        type: u64
      - id: erase_offset
        type: u64
      - id: erase_size
        type: u64
      - id: start_pfn_64
        type: u64
      - id: end_pfn_64
        type: u64
      - id: max_pfn_64
        type: u64
  page:
    doc: page_desc
    seq:
      - id: offset
        type: u64
      - id: size
        type: u4
      - id: flags
        type: u4
        doc: "0: stored, 1: zlib, 2: lzo, 4: snappy, 0x20: zstd"
      - id: page_flags
        type: u64
