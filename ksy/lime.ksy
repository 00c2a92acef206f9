meta:
  id: lime
  title: The header of a range in LiME's format
  endian: le
  imports:
    - u64
doc: The range's bytes follow; then the header of the next one.
seq:
  - id: magic
    size: 4
    doc: EMiL
  - id: version
    type: u4
    doc: "1"
  - id: first
    type: u64
    doc: the first byte's physical address
  - id: last
    type: u64
    doc: the last byte's, inclusive
  - id: reserved
    size: 8
