/**
 * Every cap on what the input may ask for, with its reason. A count in a file never decides an
 * allocation or a loop alone.
 */

/** Windows itself stops at 2,048 logical processors. */
export const MAX_PROCESSORS = 2048;
/** Characters of an expression; what a person writes has some 80, and each parenthesis is a step deeper. */
export const MAX_EXPRESSION = 1024;
/** Characters of a word that is compared with others for what was meant: the longest plain export has some 60. */
export const MAX_SPELLED = 80;
/** Loaded modules: a busy server has about 300; past this the list is corrupt. */
export const MAX_MODULES = 4096;
/** The ring of unloaded drivers has 50 places; triage dumps carry at most as many. */
export const MAX_UNLOADED = 256;
/** All images of one machine together: those of 300 drivers have some 500 MB. */
export const MAX_IMAGES_BYTES = 0x1_0000_0000;
/**
 * Bytes of images that are looked at, of what has `bytes`: no page of one image is another one's as well, so that all of
 * them have no more than there are. Page tables and sections that are made up lead to the same few bytes a thousand times,
 * and every question takes as long as the bytes that it looks at.
 */
export function lookedAt(bytes: number): number {
  return 0x20_0000 + bytes;
}
/** A name or path in the kernel's lists, 1,024 characters: a file's name has 255, and paths seldom have 260. */
export const MAX_UNICODE_BYTES = 0x800;
/** A file's name has 255 characters at most; a module's stands beside all that is told of it. */
export const MAX_FILE_NAME = 255;
/** An image in kernel space: the largest kernel seen has 21 MB, GPU drivers reach 100 MB. */
export const MAX_IMAGE_SIZE = 0x4000_0000;
/** One `read` into one array; longer ranges are walked in pieces. */
export const MAX_READ = 0x4000_0000;
/** Where an image's NT headers may start: linkers write a DOS stub of a few hundred bytes before them. */
export const MAX_NT_HEADERS_OFFSET = 0x10_0000;
/** Sections of one image: kernel images have up to 40, and the field allows 65,535. */
export const MAX_SECTIONS = 1024;
/** Functions or names of one export table: an ordinal has 16 bits. */
export const MAX_EXPORTS = 65_536;
/** A name in an image: Microsoft's linker cuts decorated names at 4,095 characters. */
export const MAX_NAME_BYTES = 4096;
/** Text of all names of one table together, so that names which share bytes cannot multiply them. */
export const MAX_NAME_BYTES_TOTAL = 0x100_0000;
/** Names of one place that it is known by: functions that do nothing have some twenty in Microsoft's kernels. */
export const MAX_NAMES_OF_PLACE = 64;
/** DLLs that one image imports from; large programs have some 100. */
export const MAX_IMPORT_DLLS = 1024;
/** Import slots of one image; large programs have some 10,000. */
export const MAX_IMPORTS = 65_536;
/**
 * Names looked at in one image on the search for where they stood before it was moved: once for each page of a section,
 * of which the largest seen has 5,000, and some thousand imports at a few pages.
 */
export const MAX_LOOKUP_PROBES = 200_000;
/** Symbols of one COFF table: Wine's kernel has 16,000, a large program 500,000. */
export const MAX_COFF_SYMBOLS = 0x10_0000;
/** The names behind them: some 30 bytes each. */
export const MAX_COFF_STRING_BYTES = 0x200_0000;
/** Rows of one exception directory: the largest kernel has 40,000, and what is read here is the kernel and its drivers. */
export const MAX_UNWIND_ROWS = 0x4_0000;
/** Steps from a fragment's unwind data to its function's; compilers write one or two. */
export const MAX_UNWIND_CHAIN = 32;
/** Entries of one debug directory; linkers write up to six. */
export const MAX_DEBUG_ENTRIES = 64;
/** A CodeView record is a path and 24 bytes. */
export const MAX_CODEVIEW_BYTES = 0x1_0000;
/** Entries of one level of a resource tree that are looked at on the way to the version. */
export const MAX_RESOURCE_ENTRIES = 4096;
/** … and of all levels that are looked at: drivers have one version, in one language or some twenty. */
export const MAX_RESOURCE_ENTRIES_TOTAL = 0x1_0000;
/** Version resources tried: one for each name and language. */
export const MAX_VERSION_RESOURCES = 16;
/** VS_VERSIONINFO's length is 16 bits. */
export const MAX_VERSION_BYTES = 0xffff;
/** Strings of one version resource; compilers write about ten. */
export const MAX_VERSION_STRINGS = 256;
/** Base relocation data of one image: two bytes for each place, and a kernel has 100 KB. */
export const MAX_RELOCATION_BYTES = 0x200_0000;
/** Forwarders followed from one export: Windows itself has chains of two. */
export const MAX_FORWARDERS = 16;
/** Places in nt that hash a tag: 9 in each kernel seen; a constant found thousands of times is no hash. */
export const MAX_HASH_SITES = 256;
/** Places of all modules that one search tells of: a tag stands at some hundred, and what stands at more is nothing's name. */
export const MAX_SIGHTINGS = 16_384;
/** Parts of one image that are told of as unread: drivers have some ten, a kernel whose pages are out some hundred. */
export const MAX_UNREAD_PARTS = 256;
/** Places in nt's data that hold one pointer. */
export const MAX_POINTER_HITS = 4096;
/** Pages that a search for a tag table without KDBG looks into: nt's data holds some thousand pointers to pages. */
export const MAX_TABLE_CANDIDATES = 16_384;
/** Physical addresses have at most 52 bits on every machine read, so page numbers have 40. */
export const MAX_PFN: number = 2 ** 40;
/** A dump's page bitmap in bytes: one bit a page for 8 TiB of memory, more than a crash dump is ever taken of. */
export const MAX_BITMAP_BYTES = 0x1000_0000;
/** Ranges of pages in an RDMP dump, 24 bytes each in memory: memory that is as scattered as it gets has fewer. */
export const MAX_PAGE_RANGES = 0x40_0000;
/** Packed pieces of one file, 9 bytes each in memory: those of a hibernation file have 64 KB, and cover 256 GB. */
export const MAX_PACKED_PIECES = 0x40_0000;
/** What a hibernation file unpacks to for each of its bytes: Windows packs memory to a third, and bombs a thousandfold. */
export const MAX_UNPACK_RATIO = 64;
/** What any hibernation file may unpack to, however small it is: unpacking that takes 1 s. */
export const MIN_UNPACK_BYTES = 0x1000_0000;
/** Data blocks of a triage dump: the largest seen has 4,900. */
export const MAX_DATA_BLOCKS = 0x2_0000;
/** Secondary blobs behind a dump: the most seen are 20. */
export const MAX_BLOBS = 4096;
/** Candidates for a tag table, or one of big pages, that look like one at first sight and are measured whole. */
export const MAX_TABLE_ATTEMPTS = 64;
/** Pages in which a root table is looked for: the first 128 MB, where the System process's stands. */
export const MAX_ROOT_SEARCH_PAGES = 0x8000;
/** Executable bytes of one image: the largest drivers have 100 MB. */
export const MAX_CODE_BYTES = 0x1000_0000;
/** Entries of one jump table: generated parsers have some hundreds. */
export const MAX_JUMP_TABLE = 4096;
/** Entries of all jump tables of one image, each as often as a jump goes through it: a large kernel has some 20,000. */
export const MAX_JUMP_ENTRIES = 0x8_0000;
/** Functions of one image, as `MAX_UNWIND_ROWS`: a million took 1.7 GB. */
export const MAX_FUNCTIONS = 0x4_0000;
/** Paged pools: one per NUMA node and some more; Windows 7 has room for 64. */
export const MAX_PAGED_POOLS = 64;
/** Bytes of an image's data that are looked through for pointers to its code, where relocations are gone. */
export const MAX_POINTER_SCAN = 0x400_0000;
/** Bytes of a tag file: Microsoft's has 300 KB. */
export const MAX_POOLTAG_BYTES = 0x100_0000;
/** Lines of a tag file: Microsoft's has some 5,000. */
export const MAX_POOLTAG_LINES = 200_000;
/** Files and folders looked at below one folder of PE files; a whole System32 has about 20,000. */
export const MAX_IMAGE_FILES = 200_000;
/** Times that a file is held against a module of its name: a symbol store can have some hundred kernels. */
export const MAX_IMAGE_MATCHES = 0x1_0000;
/** Pieces of code looked at on the way from a cold part to its functions. */
export const MAX_COLD_STEPS = 1024;
/** … and on the ways from all cold parts of an image: a large kernel's take some 100,000. */
export const MAX_COLD_STEPS_TOTAL = 0x20_0000;
/** Entries of a file's attribute certificate table; signing tools write one. */
export const MAX_CERTIFICATES = 16;
/** One signature: certificates take 10 to 30 KB, hashes of each page of a 100 MB driver another 1 MB. */
export const MAX_SIGNATURE_BYTES = 0x40_0000;
/** ASN.1 elements inside one another: a signature inside a signature, with its time stamp, has some 40. */
export const MAX_ASN1_DEPTH = 100;
/** ASN.1 elements of one signature: with certificates, time stamps and a second signature some 3,000. */
export const MAX_ASN1_ELEMENTS = 20_000;
/** Bytes of all object identifiers of one signature: some 10 KB, and each number in one is an object when it is decoded. */
export const MAX_OID_BYTES = 0x1_0000;
/** Things that one register may hold at a point of a function, as far as they are kept apart. */
export const MAX_ALTERNATIVES = 16;
/** Instructions of one function whose values are followed: the largest in kernels have 20,000. */
export const MAX_FUNCTION_INSTRUCTIONS = 65_536;
/** Instructions that one function's values are followed through, each as often as something new reaches it. */
export const MAX_VALUE_STEPS = 400_000;
/** Places on the stack that are kept apart at one point of a function: large frames have some hundreds. */
export const MAX_STACK_PLACES = 2048;
/** Places on the stack of all points of one function together that are kept. */
export const MAX_STATE_PLACES = 0x20_0000;
/** Instructions of all images of one question whose values are followed, four steps for one: traces of 267 drivers take up to 210,000. */
export const MAX_FOLLOWED = 0x6_0000;
/**
 * … and of one image with `bytes` of code: to follow all of its functions once takes a quarter to two fifths of its bytes,
 * but functions that overlap, as broken unwind data has them, have the same bytes a thousand times.
 */
export function followedAtMost(bytes: number): number {
  return 0x1000 + (bytes >>> 1);
}
/** Instructions of followed functions that are kept, for the next question about them, at 600 bytes each: those of a driver that have to do with a tag have less. */
export const MAX_FOLLOWED_KEPT = 0x8000;
/** Bytes of images whose code is kept decoded: the largest kernel has 11 MB, and is asked for again and again. */
export const MAX_CODE_KEPT = 0x180_0000;
/** Instructions that one listing shows: the largest functions of kernels have 20,000. */
export const MAX_LISTED_LINES = 32_768;
/** Bytes of one piece of code that are listed at once: more belong to broken unwind data. */
export const MAX_LISTED_BYTES = 0x10_0000;
/** Functions that share one block: of shared code in Microsoft's kernels, some ten. */
export const MAX_OWNERS = 64;
/** Entries of PoolBigPageTable: it doubles as it fills, and 2^22 of them cover terabytes of pool. */
export const MAX_BIG_PAGES = 4_194_304;
/** Active processes: a terminal server has some thousands. */
export const MAX_PROCESSES = 65_536;
/** Bytes of all cells that are read of one hive: the services of a machine have some 3 MB, and cells that share names end here. */
export const MAX_HIVE_READ = 0x200_0000;
/** Subkeys of one registry key: the largest key of a SYSTEM hive has some thousand. */
export const MAX_HIVE_SUBKEYS = 65_536;
/** Values of one registry key: a service has up to 20, other keys some hundreds. */
export const MAX_HIVE_VALUES = 16_384;
/** A registry key's name has at most 255 characters. */
export const MAX_HIVE_KEY_NAME_BYTES = 510;
/** A registry value's name has at most 16,383 characters. */
export const MAX_HIVE_VALUE_NAME_BYTES = 32_766;
/** Services of one machine: a server with many users has about 1,500. */
export const MAX_SERVICES = 8192;
/** Values of all services together: 20 for each of them, and many services that share one long list end here. */
export const MAX_SERVICE_VALUES = 0x2_0000;
/** One text of a service in bytes: descriptions have some hundred characters, paths up to 260. */
export const MAX_SERVICE_TEXT_BYTES = 0x1000;
/** Bytes of all processors' tag tables together: 2,048 of the usual size take 0.7 GB. */
export const MAX_TRACKER_BYTES = 0x4000_0000;
/** Threads of all processes: a terminal server with many users has some 20,000. */
export const MAX_THREADS = 65_536;
/** A kernel stack: the largest that Windows makes has 0x12000 bytes on x64, and an expanded one no more. */
export const MAX_KERNEL_STACK = 0x4_0000n;
/** Direct calls between an exported function and one that allocates; further up, everything leads everywhere. */
export const MAX_REACH_DEPTH = 6;
/** Exported functions after which no callers further up are looked for: so many accuse everybody. */
export const MAX_REACH_EXPORTS = 48;
/** Bytes of code that are searched in one question for whoever names a place: 1 s, and 25 passes over a kernel. */
export const MAX_NAMING_BYTES = 0x1000_0000;
/** Places of KMDF's name in a driver, for each of which all of it is searched, and pointers to them: drivers have one. */
export const MAX_WDF_BIND_PLACES = 16;
/** Functions that are followed backwards for one tag: a kernel has about 30,000 in all. */
export const MAX_REACH_FUNCTIONS = 20_000;
/** Kernel stacks that are searched: of 20,000 threads with the largest stacks. */
export const MAX_STACK_BYTES = 0x6000_0000;
/** Return addresses found on stacks: past this they tell nothing more. */
export const MAX_STACK_HITS = 65_536;
/** Bytes of pool that one look for the blocks of a tag takes: enough to see whose they are, in less than 0.1 s. */
export const MAX_POOL_ROUND = 0x200_0000;
/** Bytes of pool that are searched where the first looks find few blocks: less than 0.5 s. */
export const MAX_POOL_SEARCH = 0x800_0000;
/** Tables of pages that are looked at for pool: they cover 1 TB, and looking at them takes 1 s and at most 13 MB. */
export const MAX_POOL_TABLES = 0x8_0000;
/** Bytes of a tag's allocations of a page and more that are looked at. */
export const MAX_BIG_CONTENT = 0x400_0000;
/** Pointers into one module that are kept as examples. */
export const MAX_CONTENT_EXAMPLES = 32;
/** Blocks of a tag whose pointers are followed, evenly from all that were found. */
export const MAX_FOLLOWED_BLOCKS = 4096;
/** Pointers of one block that are followed. */
export const MAX_BLOCK_TARGETS = 32;
/** Objects that the blocks of a tag point to, and that are looked at: each is one read. */
export const MAX_OBJECTS_SEEN = 65_536;
/** Entries of all lists together that are followed to their heads. */
export const MAX_LIST_STEPS = 0x4_0000;
/** Blocks that are charged to a process, and whose charge is decoded. */
export const MAX_BILLED_BLOCKS = 65_536;
/** Processes with which the secret is looked for that hides them in blocks: each is tried with some blocks. */
export const MAX_BILLED_PROCESSES = 4096;
/** Stacks that one thread left for others; Windows refuses to go on after some ten. */
export const MAX_OUTER_STACKS = 32;
/** Instructions on the ways through one function, each way by itself: a large dispatch routine has some 20,000 of them. */
export const MAX_PATH_STEPS = 60_000;
/** … and on the ways through all functions of one question: traces of large machines take some 150,000. */
export const MAX_PATH_STEPS_TOTAL = 0x8_0000;
/** Ways that are kept apart at one place of a function, by what is known on each. */
export const MAX_PATH_VARIANTS = 24;
/** Calls into one another that something is followed through: helpers of helpers. */
export const MAX_OWNERSHIP_DEPTH = 4;
/** Libraries in between, from the function that allocates to the driver that holds: class driver, port driver, framework. */
export const MAX_RELAY_DEPTH = 4;
/** Exported functions that hand something on, followed for one tag. */
export const MAX_RELAYS = 96;
/** Callers of one function that hands something on: helpers have some ten. */
export const MAX_HANDING_CALLERS = 24;
/** Exported functions of one library that are looked at for what they free. */
export const MAX_LEARNT = 96;
/** Calls on the way from an allocation to exported functions of which it is followed what they give. */
export const MAX_CARRIED = 600;
/** Pages of all handle tables together: 16 million handles on 64-bit machines. */
export const MAX_HANDLE_PAGES = 65_536;
/** Objects that handles lead to, and that are told apart: 14 bytes each, and half of the table stays empty. */
export const MAX_HANDLE_TARGETS = 0x20_0000;
/** Kinds of objects by what stands in their headers: Windows has some 70 types. */
export const MAX_OBJECT_KINDS = 1024;
/** Drivers that Driver Verifier checks: more than any machine has loaded. */
export const MAX_VERIFIED_DRIVERS = 2048;
/** Pages of one driver's allocations that Driver Verifier tracks: 16 million on 64-bit machines. */
export const MAX_VERIFIER_PAGES = 0x2_0000;
/** Segments of a core, 56 bytes each in the file: one written by virtual address has a hundred thousand. */
export const MAX_SEGMENTS = 0x10_0000;
/** Bytes of a core's notes: some 2 KB for each processor. */
export const MAX_CORE_NOTE_BYTES = 0x100_0000;
export const MAX_CORE_NOTES = 0x1_0000;
/** Pages that are looked at for the kernel's image, where nothing says its place: 4 GB of kernel space. */
export const MAX_KERNEL_PAGES = 0x10_0000;
/** Bytes of nt's data in which lists, tables and keys are looked for by their shape: kernels have up to 6 MB. */
export const MAX_KERNEL_DATA = 0x100_0000;
/** Places in nt's image where the debugger's table may be by its tag, which stands at two or three. */
export const MAX_KDBG_PLACES = 1024;
/** Words of nt's data that are looked at for the list of modules, in all kernels that are tried, a pointer four times: 10 times those of the largest kernel. */
export const MAX_KERNEL_WORDS = 0x100_0000;
/** Records of a flattened core, 16 bytes each in the file: QEMU writes one for some 4 KB. */
export const MAX_FLAT_RECORDS = 0x40_0000;
/** Bytes that one packed page takes: zlib makes none much larger. */
export const MAX_PACKED_PAGE = 0x2000;
/** Runs of physical memory that a kernel counts: servers have some thirty. */
export const MAX_MEMORY_RUNS = 4096;
/** Page tables that are held against a way in which a flat file can hold memory. */
export const MAX_TABLES_CHECKED = 4096;
/** Holes in memory, the largest first, that a flat file is tried for leaving out. */
export const MAX_FLAT_LAYOUTS = 16;
/** Tables that map themselves, of which it is tried whether the kernel can be read through them: each process has one. */
export const MAX_ROOTS = 4096;
/** Groups of a VMware state: some fifty. */
export const MAX_VMWARE_GROUPS = 1024;
/** Values that are read of it: some hundred for each processor, of which VMware gives a machine some hundred. */
export const MAX_VMWARE_TAGS = 0x4_0000;
