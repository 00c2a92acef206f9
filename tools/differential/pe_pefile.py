"""What pefile reads of PE files, one JSON line a file: /usr/bin/python3 pe_pefile.py FILE... (Debian: python3-pefile)"""

import json
import sys

import pefile


def text(value):
    return None if value is None else value.decode("latin-1")


def imports(entries, kind):
    for entry in entries:
        for one in entry.imports:
            yield {
                "kind": kind,
                "dll": text(entry.dll),
                "name": text(one.name),
                "ordinal": one.ordinal if one.name is None else None,
                "rva": one.address - BASE,
            }


def company(pe):
    for infos in getattr(pe, "FileInfo", []):
        for info in infos:
            for table in getattr(info, "StringTable", []):
                found = table.entries.get(b"CompanyName")
                if found is not None:
                    return found.decode("utf-8")
    return None


def pdb(pe):
    for entry in getattr(pe, "DIRECTORY_ENTRY_DEBUG", []):
        name = getattr(entry.entry, "PdbFileName", None)
        if name is not None:
            return text(name.split(b"\0")[0])
    return None


for path in sys.argv[1:]:
    pe = pefile.PE(path)
    pe.__dict__.setdefault("DIRECTORY_ENTRY_IMPORT", [])
    pe.__dict__.setdefault("DIRECTORY_ENTRY_DELAY_IMPORT", [])
    optional = pe.OPTIONAL_HEADER
    BASE = optional.ImageBase
    exports = pe.DIRECTORY_ENTRY_EXPORT.symbols if hasattr(pe, "DIRECTORY_ENTRY_EXPORT") else []
    blocks = getattr(pe, "DIRECTORY_ENTRY_BASERELOC", [])
    print(
        json.dumps(
            {
                "headers": {
                    "machine": pe.FILE_HEADER.Machine,
                    "timestamp": pe.FILE_HEADER.TimeDateStamp,
                    "checksum": optional.CheckSum,
                    "entry": optional.AddressOfEntryPoint,
                    "base": hex(BASE),
                    "size": optional.SizeOfImage,
                    "subsystem": optional.Subsystem,
                },
                "directories": [
                    [one.VirtualAddress, one.Size]
                    for one in optional.DATA_DIRECTORY
                ],
                "sections": [
                    [text(one.Name.rstrip(b"\0")), one.VirtualAddress, one.Misc_VirtualSize, one.PointerToRawData, one.SizeOfRawData]
                    for one in pe.sections
                ],
                "imports": [*imports(pe.DIRECTORY_ENTRY_IMPORT, "iat"), *imports(pe.DIRECTORY_ENTRY_DELAY_IMPORT, "delay-iat")],
                "exports": [
                    {"ordinal": one.ordinal, "rva": one.address, "name": text(one.name), "forwarder": text(one.forwarder)}
                    for one in exports
                ],
                "relocations": [[one.rva, one.type] for block in blocks for one in block.entries if one.type != 0],
                "pdb": pdb(pe),
                "company": company(pe),
            }
        )
    )
