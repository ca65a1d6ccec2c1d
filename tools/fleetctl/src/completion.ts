import { Failure } from './failure.js';

/** Prints a script that completes commands and options in a shell: `source <(fleetctl completion bash)`. */
export function completion(shell: string | undefined, commands: readonly string[], options: readonly string[]): string {
  const groups = new Map<string, string[]>();
  for (const command of commands) {
    const [group = '', verb] = command.split(' ');
    groups.set(group, [...(groups.get(group) ?? []), ...(verb === undefined ? [] : [verb])]);
  }
  const flags = options.map((name) => `--${name}`).join(' ');
  const cases = [...groups]
    .filter(([, verbs]) => verbs.length > 0)
    .map(([group, verbs]) => `    ${group}) words="${verbs.join(' ')}" ;;`)
    .join('\n');
  const first = [...groups.keys()].join(' ');
  switch (shell) {
    case 'bash':
      return BASH.replace('FIRST', first).replace('CASES', cases).replace('FLAGS', flags);
    case 'zsh':
      return ZSH.replace('FIRST', first)
        .replace('CASES', cases.replaceAll('words=', 'words_='))
        .replace('FLAGS', flags);
    default:
      throw new Failure('usage', 'completion for which shell? bash or zsh');
  }
}

const BASH = `_fleetctl() {
  local words="" current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  case "$previous" in
    fleetctl) words="FIRST" ;;
CASES
    --content|--key-file|--state|content|make) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [[ "$current" == -* ]]; then words="FLAGS"; fi
  if [[ -z "$words" ]]; then COMPREPLY=($(compgen -f -- "$current")); return; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _fleetctl fleetctl
`;

const ZSH = `#compdef fleetctl
_fleetctl() {
  local words_=""
  case "\${words[CURRENT-1]}" in
    fleetctl) words_="FIRST" ;;
CASES
    --content|--key-file|--state|content|make) _files; return ;;
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then words_="FLAGS"; fi
  if [[ -z "$words_" ]]; then _files; return; fi
  compadd -- \${=words_}
}
compdef _fleetctl fleetctl
`;
