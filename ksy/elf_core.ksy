meta:
  id: elf_core
  title: An ELF core, as virtual machines write their memory
  endian: le
  imports:
    - u64
    - word
doc: |
  The headers of an ELF file of type core, in both classes, and a note's. The class says how wide the fields are, and
  nothing of the machine.
types:
  header:
    params:
      - id: bits
        type: u1
        doc: 32 or 64
    seq:
      - id: ident
        size: 16
        doc: e_ident
      - id: type
        type: u2
        doc: e_type, 4 for a core
      - id: machine
        type: u2
        doc: e_machine
      - id: version
        type: u4
        doc: e_version
      - id: entry
        type: word(bits)
        doc: e_entry
      - id: program_headers
        type: word(bits)
        doc: e_phoff
      - id: section_headers
        type: word(bits)
        doc: e_shoff
      - id: flags
        type: u4
        doc: e_flags
      - id: header_size
        type: u2
        doc: e_ehsize
      - id: program_header_size
        type: u2
        doc: e_phentsize
      - id: program_header_count
        type: u2
        doc: e_phnum, 0xffff where section header 0 has it
  segment_32:
    seq:
      - id: type
        type: u4
        doc: p_type
      - id: offset
        type: word(32)
        doc: p_offset
      - id: virtual_address
        type: word(32)
        doc: p_vaddr
      - id: physical_address
        type: word(32)
        doc: p_paddr
      - id: file_size
        type: word(32)
        doc: p_filesz
      - id: memory_size
        type: word(32)
        doc: p_memsz
  segment_64:
    seq:
      - id: type
        type: u4
        doc: p_type
      - id: flags
        type: u4
        doc: p_flags
      - id: offset
        type: word(64)
        doc: p_offset
      - id: virtual_address
        type: word(64)
        doc: p_vaddr
      - id: physical_address
        type: word(64)
        doc: p_paddr
      - id: file_size
        type: word(64)
        doc: p_filesz
      - id: memory_size
        type: word(64)
        doc: p_memsz
  note:
    doc: the name and the contents follow, each padded to 4 bytes
    seq:
      - id: name_size
        type: u4
        doc: n_namesz
      - id: content_size
        type: u4
        doc: n_descsz
      - id: type
        type: u4
        doc: n_type
