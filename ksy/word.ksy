meta:
  id: word
  title: A pointer-sized little-endian integer
  endian: le
doc: |
  4 or 8 bytes, by the machine: a pointer, or a count that Windows declares as ULONG_PTR. It has the shape of
  u64, and src/core/kaitai.ts joins the halves in the same way.
params:
  - id: bits
    type: u1
    doc: 32 or 64
seq:
  - id: low
    type: u4
  - id: upper
    type: u4
    if: bits == 64
instances:
  high:
    value: 'bits == 64 ? upper : 0'
