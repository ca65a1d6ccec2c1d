import { COMMANDS, OPTIONS, optionsOf, type CommandName, type OptionName, type OptionSpec } from './options.js';

export const EXIT_CODES = '0 done, 1 failed, 2 usage, 3 no fitting seller, 4 coins, 5 incomplete';

const COLUMN = 30;

function optionLine(name: OptionName): string {
  const { value, help }: OptionSpec = OPTIONS[name];
  const head = `--${name}${value === undefined ? '' : ` ${value}`}`;
  return `      ${head.padEnd(COLUMN - 6)}${help}`;
}

function commandBlock(command: CommandName): string {
  const { form, help } = COMMANDS[command];
  const own = optionsOf(command).filter((name) => 'of' in OPTIONS[name]);
  return [`  leecher ${form}`, `      ${help}`, ...own.map(optionLine)].join('\n');
}

function everyCommands(): OptionName[] {
  return (Object.keys(OPTIONS) as OptionName[]).filter((name) => !('of' in OPTIONS[name]));
}

export const USAGE = [
  'usage:',
  ...(Object.keys(COMMANDS) as CommandName[]).map(commandBlock),
  '',
  '  each with:',
  ...everyCommands().map(optionLine),
  '',
  '  leecher --version says which one this is',
  '',
  `exit codes: ${EXIT_CODES}`,
].join('\n');

/** What a person who mistyped needs: the form of the command, not everything. */
export function shortUsage(command?: CommandName): string {
  return command === undefined
    ? 'leecher --help lists the commands'
    : `${commandBlock(command)}\n\nleecher --help says more`;
}
