meta:
  id: dump_blob
  title: DUMP_BLOB_HEADER
  endian: le
doc: |
  Secondary data that drivers and the crash reporter add behind the dump proper, one blob after the other.
seq:
  - id: header_size
    type: u4
    doc: HeaderSize, always 0x20; anything else ends the blobs
  - id: tag
    size: 16
    doc: Tag, a GUID
  - id: data_size
    type: u4
    doc: DataSize, in bytes
  - id: pre_pad
    type: u4
    doc: PrePad, bytes between this header and the data
  - id: post_pad
    type: u4
    doc: PostPad, bytes between the data and the next header
types:
  file_header:
    doc: DUMP_BLOB_FILE_HEADER
    seq:
      - id: signature
        size: 8
        doc: Signature1 and Signature2, DumpBlob
      - id: header_size
        type: u4
        doc: HeaderSize, where the first blob starts, from here
      - id: build_number
        type: u4
        doc: BuildNumber, with 0xf in its highest bits
