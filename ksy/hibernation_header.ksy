meta:
  id: hibernation_header
  title: PO_MEMORY_IMAGE
  endian: le
  imports:
    - u64
    - word
doc: |
  The first page of hiberfil.sys. It grew with Windows, and its size tells which fields stand where; page numbers in it
  count pages of the file. The sizes and offsets are those of the public symbols of each Windows, as LeechCore and Hibr2Bin
  list them too.
params:
  - id: bits
    type: u1
    doc: 32 or 64
seq:
  - id: signature
    size: 4
    doc: Signature
  - id: image_type
    type: u4
    doc: ImageType
  - id: check_sum
    type: u4
    doc: CheckSum
  - id: length_self
    type: u4
    doc: LengthSelf, the size of this structure
  - id: page_self
    type: word(bits)
    doc: PageSelf
  - id: page_size
    type: u4
    doc: PageSize, always 0x1000
  - size: 4
    if: bits == 64
  - id: system_time
    type: u64
    doc: SystemTime, a FILETIME
instances:
  first_table_page:
    pos: 'bits == 64 ? 0x60 : 0x4c'
    type: word(bits)
    doc: FirstTablePage of Windows 7
  num_pages_for_loader:
    pos: 'bits == 64 ? 0x58 : 0x48'
    type: u64
    doc: NumPagesForLoader of Windows 8 and later, the pages of the boot set
  first_boot_restore_page:
    pos: 'bits == 32 ? 0x50 : length_self < 0x3b0 ? 0x60 : 0x68'
    type: word(bits)
    doc: FirstBootRestorePage of Windows 8 and later; Windows 10 put FirstSecureRestorePage before it, where it has 64 bits
  first_kernel_restore_page:
    pos: 'bits == 32 ? 0x54 : length_self < 0x3b0 ? 0x68 : 0x70'
    type: word(bits)
    doc: FirstKernelRestorePage of Windows 8 and later
  kernel_pages_at:
    value: >-
      bits == 64
      ? (length_self == 0x360 ? 0x1c8
      : length_self == 0x3b0 ? 0x218
      : length_self == 0x3c8 ? 0x220
      : length_self == 0x3d8 ? 0x230
      : length_self == 0x3e0 ? 0x230
      : length_self == 0x448 ? 0x230
      : length_self == 0x4d8 ? 0x238 : 0)
      : (length_self == 0x2c8 ? 0x1b0
      : length_self == 0x310 ? 0x1f8
      : length_self == 0x328 ? 0x200
      : length_self == 0x338 ? 0x210
      : length_self == 0x340 ? 0x210 : 0)
    doc: where PerfInfo's KernelPagesProcessed stands; 0 for a size that is not known
  kernel_pages_processed:
    pos: kernel_pages_at
    type: u64
    if: kernel_pages_at != 0
    doc: KernelPagesProcessed of PerfInfo, the pages of the kernel set
  hiberboot:
    pos: 0x364
    type: u1
    if: bits == 64 and length_self == 0x3e0
    doc: Hiberboot, 1 where users were logged off before (fast start); elsewhere its place is not known
