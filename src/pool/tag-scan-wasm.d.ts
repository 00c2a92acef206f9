/** The module that wasm/tag-scan.wat describes, in base64; the build makes it. */
export const TAG_SCAN_WASM: string;
