meta:
  id: pe_resources
  title: Resource directory and version resource of a PE image
  endian: le
doc: The fixed structures; names and strings between them are read by src/pe/resources.ts and version.ts.
doc-ref: Microsoft PE Format, "The .rsrc Section"; VS_VERSIONINFO structure
types:
  directory:
    doc: IMAGE_RESOURCE_DIRECTORY
    seq:
      - id: flags
        type: u4
        doc: Characteristics
      - id: timestamp
        type: u4
        doc: TimeDateStamp
      - id: major_version
        type: u2
      - id: minor_version
        type: u2
      - id: named_count
        type: u2
        doc: NumberOfNamedEntries, which come first.
      - id: id_count
        type: u2
        doc: NumberOfIdEntries
  data_entry:
    doc: IMAGE_RESOURCE_DATA_ENTRY
    seq:
      - id: rva
        type: u4
        doc: OffsetToData, an RVA whatever its name says.
      - id: size
        type: u4
      - id: code_page
        type: u4
      - id: reserved
        type: u4
  fixed_file_info:
    doc: VS_FIXEDFILEINFO
    seq:
      - id: signature
        contents: [0xbd, 0x04, 0xef, 0xfe]
      - id: structure_version
        type: u4
        doc: dwStrucVersion
      - id: file_version_high
        type: u4
        doc: dwFileVersionMS
      - id: file_version_low
        type: u4
        doc: dwFileVersionLS
      - id: product_version_high
        type: u4
        doc: dwProductVersionMS
      - id: product_version_low
        type: u4
        doc: dwProductVersionLS
