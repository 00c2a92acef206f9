meta:
  id: pe_debug
  title: Debug directory entry and CodeView records of a PE image
  endian: le
doc-ref: Microsoft PE Format, "The .debug Section"
doc: Which PDB file belongs to an image.
types:
  entry:
    doc: IMAGE_DEBUG_DIRECTORY
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
      - id: kind
        type: u4
        doc: Type; 2 is IMAGE_DEBUG_TYPE_CODEVIEW.
      - id: size
        type: u4
        doc: SizeOfData
      - id: rva
        type: u4
        doc: AddressOfRawData; 0 where the data is not mapped into memory.
      - id: file_offset
        type: u4
        doc: PointerToRawData
  rsds:
    doc: CV_INFO_PDB70
    seq:
      - id: signature
        contents: RSDS
      - id: guid_1
        type: u4
        doc: Signature.Data1
      - id: guid_2
        type: u2
        doc: Signature.Data2
      - id: guid_3
        type: u2
        doc: Signature.Data3
      - id: guid_4
        size: 8
        doc: Signature.Data4
      - id: age
        type: u4
      - id: path
        size-eos: true
        doc: PdbFileName, ended by a zero.
  nb10:
    doc: CV_INFO_PDB20
    seq:
      - id: signature
        contents: NB10
      - id: offset
        type: u4
        doc: Always 0, the record has no data of its own.
      - id: timestamp
        type: u4
        doc: Signature, the time when the PDB was made.
      - id: age
        type: u4
      - id: path
        size-eos: true
        doc: PdbFileName, ended by a zero.
