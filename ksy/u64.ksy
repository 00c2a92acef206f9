meta:
  id: u64
  title: A 64-bit little-endian integer
  endian: le
doc: |
  Kaitai's own u8 is a double in JavaScript: 0xfffff801228ffff8 reads as 0xfffff80122900000. Two halves are
  exact; src/core/kaitai.ts joins them.
seq:
  - id: low
    type: u4
  - id: high
    type: u4
