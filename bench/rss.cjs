// Loaded before a command with --require: tells the bench, on descriptor 3, its peak memory in KB and its CPU time in µs.
const { writeSync } = require("node:fs");
process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  writeSync(3, `${maxRSS} ${userCPUTime + systemCPUTime}`);
});
