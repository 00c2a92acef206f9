import { TAG_ORDERS } from "../pool/tag-table.ts";
import { FORMATS, OPTIONS, SHELLS, type Shell, takesOption, VIEWS } from "./arguments.ts";
import { COMMAND_NAMES, COMMANDS } from "./commands.ts";

/** What a shell runs to complete commands, options and what they take; where the files are, the shell completes them itself. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell]();
}

/** An option as a shell needs it. */
interface Completed {
  readonly name: string;
  readonly short: string | undefined;
  readonly help: string;
  /** What stands behind it: nothing, one of some words, a folder, a file, or anything. */
  readonly takes: "nothing" | readonly string[] | "folder" | "file" | "anything";
  /** Names and aliases of the commands that take it. */
  readonly of: readonly string[];
}

const WORDS: Readonly<Record<string, readonly string[]>> = { format: FORMATS, sort: TAG_ORDERS, view: VIEWS };
const FILES: Readonly<Record<string, "folder" | "file" | "anything">> = {
  DIR: "folder",
  FILE: "file",
  OLDER: "file",
};

const COMPLETED: readonly Completed[] = Object.entries(OPTIONS).map(([name, option]) => ({
  name,
  short: "short" in option ? option.short : undefined,
  help: option.help,
  takes: "value" in option ? (WORDS[name] ?? FILES[option.value] ?? "anything") : "nothing",
  of: COMMANDS.filter((command) => takesOption(command, name)).flatMap((command) => [
    command.name,
    ...command.aliases,
  ]),
}));

const isGeneral = ({ of }: Completed): boolean => of.length === COMMAND_NAMES.length;

/** Words that stand first: what a shell takes for its own, as `!` in bash, is left out. */
const FIRST: readonly string[] = [
  ...COMMAND_NAMES.filter((name) => !name.startsWith("!")),
  "completion",
  "help",
];

const flags = (options: readonly Completed[]): string =>
  options
    .flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])])
    .join(" ");

const SCRIPTS: Readonly<Record<Shell, () => string>> = { bash, zsh, fish, powershell };

function bash(): string {
  const own = COMPLETED.filter((option) => !isGeneral(option));
  const values = COMPLETED.flatMap(({ name, takes }) => {
    if (takes === "nothing") return [];
    const how =
      typeof takes !== "string"
        ? `COMPREPLY=($(compgen -W '${takes.join(" ")}' -- "$cur"))`
        : takes === "folder"
          ? 'COMPREPLY=($(compgen -d -- "$cur"))'
          : takes === "file"
            ? 'COMPREPLY=($(compgen -f -- "$cur"))'
            : "COMPREPLY=()";
    return [`    --${name}) ${how}; return ;;`];
  });
  return `# source <(pooltrail completion bash)
_pooltrail() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  local options='${flags(COMPLETED.filter(isGeneral))}'
  case $prev in
${values.join("\n")}
    completion) COMPREPLY=($(compgen -W '${SHELLS.join(" ")}' -- "$cur")); return ;;
  esac
  case $command in
${own.map((option) => `    ${option.of.filter((name) => !name.startsWith("!")).join("|")}) options+=' ${flags([option])}' ;;&`).join("\n")}
  esac
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$cur")); return; fi
  COMPREPLY=($(compgen -f -- "$cur"))
  if (( COMP_CWORD == 1 )); then COMPREPLY+=($(compgen -W '${FIRST.join(" ")}' -- "$cur")); fi
}
complete -o filenames -F _pooltrail pooltrail`;
}

/** In single quotes, as shells of the Bourne family read it. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function zsh(): string {
  const spec = ({ name, short, help, takes }: Completed): string => {
    const about = `[${help.replaceAll(/[[\]:]/g, (character) => `\\${character}`)}]`;
    const value =
      takes === "nothing"
        ? ""
        : typeof takes !== "string"
          ? `:${name}:(${takes.join(" ")})`
          : `:${name}:${{ folder: "_files -/", file: "_files", anything: "" }[takes]}`;
    const many = "multiple" in (Object.entries(OPTIONS).find(([other]) => other === name)?.[1] ?? {});
    const once = many ? "*" : "";
    return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]
      .map((flag) => `    ${quoted(`${once}${flag}${about}${value}`)}`)
      .join(" \\\n");
  };
  const described = COMMANDS.flatMap(({ name, aliases, summary }) =>
    [name, ...aliases]
      .filter((word) => !word.startsWith("!"))
      .map((word) => `    ${quoted(`${word}:${summary.replaceAll(":", "\\:")}`)}`),
  );
  return `#compdef pooltrail
# source <(pooltrail completion zsh)
_pooltrail_first() {
  local -a commands=(
${described.join("\n")}
    'completion:what a shell runs to complete this command line'
    'help:the help of a command'
  )
  _describe command commands
  _files
}
_pooltrail() {
  _arguments \\
${COMPLETED.map(spec).join(" \\\n")} \\
    '1:command or dump:_pooltrail_first' \\
    '*:file:_files'
}
if [ "$funcstack[1]" = _pooltrail ]; then _pooltrail "$@"; else compdef _pooltrail pooltrail; fi`;
}

function fish(): string {
  const commands = COMMANDS.flatMap(({ name, aliases, summary }) =>
    [name, ...aliases]
      .filter((word) => !word.startsWith("!"))
      .map((word) => `complete -c pooltrail -n __fish_use_subcommand -a ${word} -d ${quoted(summary)}`),
  );
  const options = COMPLETED.map((option) => {
    const { name, short, help, takes, of } = option;
    const where = isGeneral(option)
      ? ""
      : ` -n ${quoted(`__fish_seen_subcommand_from ${of.filter((word) => !word.startsWith("!")).join(" ")}`)}`;
    const value =
      takes === "nothing"
        ? ""
        : typeof takes !== "string"
          ? ` -x -a ${quoted(takes.join(" "))}`
          : ` ${{ folder: "-x -a '(__fish_complete_directories)'", file: "-r -F", anything: "-x" }[takes]}`;
    return `complete -c pooltrail${where}${short === undefined ? "" : ` -s ${short}`} -l ${name}${value} -d ${quoted(help)}`;
  });
  return [
    "# pooltrail completion fish | source",
    ...commands,
    "complete -c pooltrail -n __fish_use_subcommand -a completion -d 'what a shell runs to complete this command line'",
    `complete -c pooltrail -n '__fish_seen_subcommand_from completion' -x -a '${SHELLS.join(" ")}'`,
    ...options,
  ].join("\n");
}

function powershell(): string {
  const list = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(", ");
  const values = COMPLETED.flatMap(({ name, takes }) =>
    typeof takes === "string" ? [] : [`    '--${name}' { @(${list(takes)}) }`],
  );
  const own = COMPLETED.filter((option) => !isGeneral(option)).map(
    (option) => `    if ($command -in ${list(option.of)}) { $options += '--${option.name}' }`,
  );
  return `# pooltrail completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName pooltrail -ScriptBlock {
  param($word, $line, $cursor)
  $words = @($line.CommandElements | ForEach-Object { "$_" })
  $command = if ($words.Count -gt 1) { $words[1] } else { '' }
  $before = if ($word -eq '') { $words[-1] } elseif ($words.Count -gt 1) { $words[-2] } else { '' }
  $found = switch ($before) {
${values.join("\n")}
    'completion' { @(${list(SHELLS)}) }
  }
  if ($null -eq $found -and $word -like '-*') {
    $options = @(${list(COMPLETED.filter(isGeneral).map(({ name }) => `--${name}`))})
${own.join("\n")}
    $found = $options
  }
  if ($null -eq $found -and ($words.Count -eq 1 -or ($words.Count -eq 2 -and $word -ne ''))) {
    $found = @(${list([...COMMAND_NAMES, "completion", "help"])})
  }
  $found | Where-Object { $_ -like "$word*" } |
    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
}`;
}
