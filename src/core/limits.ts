/**
 * Every cap on what the input may ask for, with its reason. A count in a file never decides an
 * allocation or a loop alone.
 */

/** Windows itself stops at 2,048 logical processors. */
export const MAX_PROCESSORS = 2048;
/** Loaded modules: a busy server has about 300; past this the list is corrupt. */
export const MAX_MODULES = 4096;
/** The ring of unloaded drivers has 50 places; triage dumps carry at most as many. */
export const MAX_UNLOADED = 256;
/** UNICODE_STRING's length is 16 bits. */
export const MAX_UNICODE_BYTES = 0xfffe;
/** An image in kernel space: the largest kernel seen has 21 MB, GPU drivers reach 100 MB. */
export const MAX_IMAGE_SIZE = 0x4000_0000;
/** One `read` into one array; longer ranges are walked in pieces. */
export const MAX_READ = 0x4000_0000;
/** Holes that a search lists; past this a list helps nobody, and its total is still exact. */
export const MAX_HOLES_LISTED = 65_536;
