import { OPTIONS, takesOption } from "./arguments.ts";
import { COMMANDS, type Command, commandNamed } from "./commands.ts";

const WIDTH = 100;
/** How what a command reads is written in usage lines. */
const INPUTS: Readonly<Record<Command["input"], string>> = {
  dump: "DUMP",
  folder: "DUMP|DIR",
  image: "DUMP|DIR|FILE",
};

/** The help text, of one command or of all. */
export function renderHelp(command?: Command): string {
  return command === undefined ? general() : one(command);
}

function general(): string {
  const calls = COMMANDS.map((command): [string, string] => [
    `${command.name} ${INPUTS[command.input]} ${command.operands}`.trimEnd(),
    command.summary + alias(command),
  ]);
  return [
    "pooltrail: traces a Windows kernel pool leak to the driver that causes it,",
    "from the dump alone.",
    "",
    "usage: pooltrail [COMMAND] DUMP [...]      without a COMMAND: trace",
    "",
    columns(calls),
    "",
    "options:",
    columns(optionRows()),
    "",
    "examples:",
    ...["trace", "tags", "modules", "repl"].flatMap((name) => examplesOf(commandNamed(name)).slice(0, 2)),
    "",
    "completion SHELL prints what bash, zsh, fish or powershell runs to complete all this.",
    "Exit codes: 0 answered, also when partly; 1 the input cannot be read; 2 wrong usage.",
    "pooltrail COMMAND --help says more on one command.",
  ].join("\n");
}

function one(command: Command): string {
  const file = INPUTS[command.input];
  return [
    `usage: pooltrail ${command.name} ${file} ${command.operands}`.trimEnd(),
    "",
    wrap(`${command.summary}${alias(command)}.`, 0),
    ...command.details.flatMap((text) => ["", wrap(text, 0)]),
    "",
    "examples:",
    ...examplesOf(command),
    "",
    "options:",
    columns(optionRows(command)),
  ].join("\n");
}

function examplesOf(command: Command | undefined): readonly string[] {
  return (command?.examples ?? []).map((example) => `  pooltrail ${example}`);
}

function alias(command: Command): string {
  return command.aliases.length === 0 ? "" : ` (WinDbg: ${command.aliases.join(", ")})`;
}

function optionRows(command?: Command): [string, string][] {
  const options = Object.entries(OPTIONS).filter(
    ([name]) => command === undefined || takesOption(command, name),
  );
  return options.map(([name, option]) => {
    const short = "short" in option ? `-${option.short}, ` : "";
    const value = "value" in option ? ` ${option.value}` : "";
    return [`${short}--${name}${value}`, option.help];
  });
}

function columns(rows: readonly [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 4;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${wrap(right, width + 2)}`).join("\n");
}

function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}
