meta:
  id: pe_imports
  title: Import and delay import descriptors of a PE image
  endian: le
doc: |
  One descriptor for each DLL; the lookup and address tables are read in bulk by src/pe/imports.ts.
doc-ref: Microsoft PE Format, "The .idata Section" and "Delay-Load Import Tables"
types:
  descriptor:
    doc: IMAGE_IMPORT_DESCRIPTOR
    seq:
      - id: lookup_rva
        type: u4
        doc: OriginalFirstThunk; 0 where the linker wrote no lookup table.
      - id: timestamp
        type: u4
        doc: TimeDateStamp; not 0 when the addresses were bound.
      - id: forwarder_chain
        type: u4
        doc: ForwarderChain
      - id: name_rva
        type: u4
        doc: Name of the DLL.
      - id: address_rva
        type: u4
        doc: FirstThunk, the import address table.
  delay_descriptor:
    doc: IMAGE_DELAYLOAD_DESCRIPTOR. Where bit 0 of the attributes is 0, each field is an address.
    seq:
      - id: attributes
        type: u4
        doc: Attributes; bit 0 is RvaBased.
      - id: name_rva
        type: u4
        doc: DllNameRVA
      - id: module_handle_rva
        type: u4
        doc: ModuleHandleRVA
      - id: address_rva
        type: u4
        doc: ImportAddressTableRVA
      - id: lookup_rva
        type: u4
        doc: ImportNameTableRVA
      - id: bound_rva
        type: u4
        doc: BoundImportAddressTableRVA
      - id: unload_rva
        type: u4
        doc: UnloadInformationTableRVA
      - id: timestamp
        type: u4
        doc: TimeDateStamp
