meta:
  id: vmware_state
  title: The state of a machine that VMware suspended, or took a snapshot of
  endian: le
  imports:
    - u64
doc: |
  .vmss and .vmsn: a header, a table of groups, and in each group tags up to one that is 0. Source is crash-utility's
  vmware_vmss.h. A tag's flags are its low byte: the size of its value, and how many indices stand behind its name.
types:
  header:
    seq:
      - id: magic
        type: u4
      - id: version
        type: u4
      - id: group_count
        type: u4
  group:
    seq:
      - id: name
        size: 64
      - id: position
        type: u64
      - id: size
        type: u64
        doc: not to be trusted
  block:
    doc: what stands in front of the bytes of a large value
    seq:
      - id: file_size
        type: u64
        doc: in the file
      - id: memory_size
        type: u64
        doc: unpacked
      - id: padding
        type: u2
        doc: bytes between this and the value
