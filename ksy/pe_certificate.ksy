meta:
  id: pe_certificate
  title: Entry of the attribute certificate table of a PE file
  endian: le
doc-ref: Microsoft PE Format, "The Attribute Certificate Table (Image Only)"
doc: |
  WIN_CERTIFICATE without the certificate itself, which follows. The next entry starts at the next multiple of
  8 bytes.
seq:
  - id: length
    type: u4
    doc: dwLength, in bytes from the start of the entry
  - id: revision
    type: u2
    doc: wRevision, 0x200; 0x100 in files before Windows 2000
  - id: kind
    type: u2
    doc: wCertificateType; 2 is WIN_CERT_TYPE_PKCS_SIGNED_DATA
