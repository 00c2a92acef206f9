"""Prints a hash of each page that is named on stdin ("p 1a2b000" physical, "v fffff800..." virtual), or "-" where volatility3
has none: python3 pages_volatility.py FORM DTB FILE [STATE]. FORM: elf, lime, vmware, crash32, crash64, raw; then a space and
x64, x86 or pae."""

import os
import sys

from volatility3.framework import contexts, exceptions
from volatility3.framework.layers import crash, elf, intel, lime, physical, vmware

form, paging, root, *files = sys.argv[1:]
context = contexts.Context()


def file_layer(name, path):
    context.config[f"{name}.location"] = "file://" + os.path.abspath(path)
    context.add_layer(physical.FileLayer(context, name, name))


file_layer("base", files[0])
context.config["memory.base_layer"] = "base"
if form == "vmware":
    file_layer("meta", files[1])
    context.config["memory.meta_layer"] = "meta"
CLASSES = {
    "elf": elf.Elf64Layer,
    "lime": lime.LimeLayer,
    "vmware": vmware.VmwareLayer,
    "crash32": crash.WindowsCrashDump32Layer,
    "crash64": crash.WindowsCrashDump64Layer,
}
if form == "raw":
    memory = context.layers["base"]
else:
    memory = CLASSES[form](context, "memory", "memory")
    context.add_layer(memory)
PAGING = {"x64": intel.WindowsIntel32e, "pae": intel.WindowsIntelPAE, "x86": intel.WindowsIntel}
context.config["kernel.memory_layer"] = memory.name
context.config["kernel.page_map_offset"] = int(root, 16)
kernel = PAGING[paging](context, "kernel", "kernel")

MASK = 0xFFFFFFFFFFFFFFFF
# COUNT: for bench/peers.mjs, which measures reading alone
counts = "COUNT" in os.environ
read = 0
for line in sys.stdin:
    kind, address, *pages = line.split()
    if counts:
        start, length = int(address, 16), int(pages[0]) * 0x1000
        kernel.read(start, length, pad=True)
        read += sum(size for _, size, _, _, _ in kernel.mapping(start, length, ignore_errors=True)) // 0x1000
        continue
    try:
        page = (memory if kind == "p" else kernel).read(int(address, 16), 0x1000)
    except exceptions.InvalidAddressException:
        print("-")
        continue
    value = 0xCBF29CE484222325
    for i in range(0, 0x1000, 8):
        value = ((value ^ int.from_bytes(page[i : i + 8], "little")) * 0x100000001B3) & MASK
    print(f"{value:016x}")
if counts:
    print(read)
