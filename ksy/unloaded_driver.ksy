meta:
  id: unloaded_driver
  title: MM_UNLOADED_DRIVER
  endian: le
  imports:
    - u64
    - module_entry
doc: A place in the ring of unloaded drivers that MmUnloadedDrivers points to.
types:
  entry_32:
    doc: of 32-bit kernels, 0x18 bytes
    seq:
      - id: name
        type: module_entry::unicode_string_32
        doc: Name
      - id: start_address
        type: u4
        doc: StartAddress
      - id: end_address
        type: u4
        doc: EndAddress
      - id: current_time
        type: u64
        doc: CurrentTime, a FILETIME
  entry_64:
    doc: of 64-bit kernels, 0x28 bytes
    seq:
      - id: name
        type: module_entry::unicode_string_64
        doc: Name
      - id: start_address
        type: u64
        doc: StartAddress
      - id: end_address
        type: u64
        doc: EndAddress
      - id: current_time
        type: u64
        doc: CurrentTime, a FILETIME
