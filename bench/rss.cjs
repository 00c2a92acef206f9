// Loaded before a command with --require: tells the bench its peak memory, in KB, on descriptor 3.
const { writeSync } = require("node:fs");
process.on("exit", () => writeSync(3, String(process.resourceUsage().maxRSS)));
