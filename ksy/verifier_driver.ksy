meta:
  id: verifier_driver
  title: MI_VERIFIER_DRIVER_ENTRY and the pages of VI_POOL_ENTRY that it leads to
  endian: le
  imports:
    - word
doc: |
  What Driver Verifier keeps of a driver that it checks, and of each allocation that the driver has not freed. The same
  from Windows Vista on, by public symbols of 6000 to 22621.
types:
  driver:
    params:
      - id: bits
        type: u1
        doc: 32 or 64
    seq:
      - id: links
        type: word(bits)
        repeat: expr
        repeat-expr: 2
        doc: Links, Flink and Blink
      - id: loads
        type: u4
        doc: Loads
      - id: unloads
        type: u4
        doc: Unloads
      - id: name_length
        type: u2
        doc: BaseName.Length, in bytes
      - id: name_maximum
        type: u2
        doc: BaseName.MaximumLength, in bytes
      - size: 4
        if: bits == 64
      - id: name_buffer
        type: word(bits)
        doc: BaseName.Buffer
      - id: start_address
        type: word(bits)
        doc: StartAddress
      - id: end_address
        type: word(bits)
        doc: EndAddress
      - id: flags
        type: u4
        doc: Flags
      - size: 4
        if: bits == 64
      - id: signature
        type: word(bits)
        doc: Signature
      - size: 8
        if: bits == 64
      - id: pool_page_headers
        type: word(bits)
        repeat: expr
        repeat-expr: 2
        doc: PoolPageHeaders, an SLIST_HEADER
      - id: pool_trackers
        type: word(bits)
        repeat: expr
        repeat-expr: 2
        doc: PoolTrackers, an SLIST_HEADER
      - id: current_paged
        type: u4
        doc: CurrentPagedPoolAllocations
      - id: current_non_paged
        type: u4
        doc: CurrentNonPagedPoolAllocations
      - id: peak_paged
        type: u4
        doc: PeakPagedPoolAllocations
      - id: peak_non_paged
        type: u4
        doc: PeakNonPagedPoolAllocations
  page_header:
    doc: VI_POOL_PAGE_HEADER, in the place of a page's first entry
    params:
      - id: bits
        type: u1
        doc: 32 or 64
    seq:
      - id: next_page
        type: word(bits)
        doc: NextPage
      - id: verifier_entry
        type: word(bits)
        doc: VerifierEntry, the driver's
      - id: signature
        type: word(bits)
        doc: Signature
  entry:
    doc: VI_POOL_ENTRY_INUSE
    params:
      - id: bits
        type: u1
        doc: 32 or 64
    seq:
      - id: virtual_address
        type: word(bits)
        doc: VirtualAddress
      - id: calling_address
        type: word(bits)
        doc: CallingAddress
      - id: number_of_bytes
        type: word(bits)
        doc: NumberOfBytes
      - id: tag
        type: word(bits)
        doc: Tag
