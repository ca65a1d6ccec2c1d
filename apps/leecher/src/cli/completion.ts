import { COMMANDS, OPTIONS, optionsOf, type CommandName, type OptionSpec } from './options.js';
import { usageError } from './values.js';

const NAMES = Object.keys(COMMANDS) as CommandName[];

/** A script for the shell to source: commands, then the options of the command. */
export function completionScript(shell: string): string {
  if (shell === 'bash') return bash();
  if (shell === 'zsh') return `autoload -U +X bashcompinit && bashcompinit\n${bash()}`;
  throw usageError(`completion is there for bash and zsh, not for "${shell}"`);
}

function bash(): string {
  const firsts = [...new Set(NAMES.map((name) => name.split(' ')[0]))].join(' ');
  const seconds = NAMES.flatMap((name) => name.split(' ')[1] ?? []).join(' ');
  const cases = NAMES.map((name) => {
    const flags = optionsOf(name).map((option) => `--${option}`);
    return `    "${name}") words="${[...flags, '--help'].join(' ')}" ;;`;
  });
  const files = optionsTaking('FILE').join('|');
  const folders = optionsTaking('DIR').join('|');
  return `_leecher() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}" command="\${COMP_WORDS[1]}" words=""
  [ "$command" = wallet ] && command="wallet \${COMP_WORDS[2]}"
  case "$before" in
    ${files}) COMPREPLY=($(compgen -f -- "$word")); return ;;
    ${folders}) COMPREPLY=($(compgen -d -- "$word")); return ;;
  esac
  if [ "$COMP_CWORD" = 1 ]; then COMPREPLY=($(compgen -W "${firsts} help" -- "$word")); return; fi
  if [ "$COMP_CWORD" = 2 ] && [ "\${COMP_WORDS[1]}" = wallet ]; then
    COMPREPLY=($(compgen -W "${seconds}" -- "$word")); return
  fi
  case "$command" in
${cases.join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -F _leecher leecher
`;
}

function optionsTaking(value: string): string[] {
  return Object.entries(OPTIONS)
    .filter(([, spec]: [string, OptionSpec]) => spec.value === value)
    .map(([name]) => `--${name}`);
}
