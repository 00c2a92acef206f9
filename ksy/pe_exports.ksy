meta:
  id: pe_exports
  title: Export directory table of a PE image
  endian: le
doc: |
  IMAGE_EXPORT_DIRECTORY. The three tables that it names are read in bulk by src/pe/exports.ts.
doc-ref: Microsoft PE Format, "Export Directory Table"
seq:
  - id: flags
    type: u4
    doc: Characteristics, always 0.
  - id: timestamp
    type: u4
    doc: TimeDateStamp
  - id: major_version
    type: u2
  - id: minor_version
    type: u2
  - id: name_rva
    type: u4
    doc: Name, the DLL's name when it was linked.
  - id: ordinal_base
    type: u4
    doc: Base, added to an index of the address table to give the ordinal.
  - id: function_count
    type: u4
    doc: NumberOfFunctions, entries of the address table.
  - id: name_count
    type: u4
    doc: NumberOfNames, entries of the name pointer table and of the ordinal table.
  - id: functions_rva
    type: u4
    doc: AddressOfFunctions
  - id: names_rva
    type: u4
    doc: AddressOfNames
  - id: name_ordinals_rva
    type: u4
    doc: AddressOfNameOrdinals, whose values are indexes and do not contain the base.
