/** The module that wasm/root-scan.wat describes, in base64; the build makes it. */
export const ROOT_SCAN_WASM: string;
