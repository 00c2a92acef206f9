meta:
  id: hibernation_table
  title: PO_MEMORY_RANGE_ARRAY of Windows 7
  endian: le
  imports:
    - word
doc: |
  A page of hiberfil.sys of Windows 7 that lists ranges of physical pages. The blocks in which these pages are packed
  stand behind it. As libhibr's documentation shows it of a real file.
params:
  - id: bits
    type: u1
    doc: 32 or 64
seq:
  - id: next_table
    type: word(bits)
    doc: NextTable, the page of the file with the next one; 0 in the last one
  - id: entry_count
    type: u4
    doc: EntryCount; a table that is not full is the last one
  - size: 4
    if: bits == 64
  - id: entries
    size-eos: true
    doc: Range, StartPage and EndPage of each; the end is the first page behind
