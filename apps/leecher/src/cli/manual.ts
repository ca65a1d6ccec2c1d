import { COMMANDS, OPTIONS, type CommandName, type OptionName, type OptionSpec } from './options.js';
import { EXIT_CODES } from './usage.js';

/** The manual page in roff, made from the same table as everything else. docs/man/leecher.1 is its output. */
export function manualPage(): string {
  const commands = (Object.keys(COMMANDS) as CommandName[]).flatMap((name) => [
    '.TP',
    `.B leecher ${plain(COMMANDS[name].form)}`,
    plain(COMMANDS[name].help),
  ]);
  const options = (Object.keys(OPTIONS) as OptionName[]).flatMap((name) => {
    const { value, help, of }: OptionSpec = OPTIONS[name];
    const where = of === undefined ? '' : ` (${of.join(', ')})`;
    return [
      '.TP',
      `.B \\-\\-${plain(name)}${value === undefined ? '' : ` \\fI${plain(value)}\\fR`}`,
      plain(`${help}${where}`),
    ];
  });
  return `${[
    '.TH LEECHER 1',
    '.SH NAME',
    'leecher \\- buys torrents, piece by piece, for Bitcoin micropayments',
    '.SH SYNOPSIS',
    '.B leecher',
    '\\fICOMMAND\\fR [\\fIOPTIONS\\fR]',
    '.SH DESCRIPTION',
    'Every piece is verified and written to disk before it is paid for. What a refund needs is on disk before a deposit',
    'is broadcast; the wallet comes back from its 24 seed words alone, open deposits included.',
    '.SH COMMANDS',
    ...commands,
    '.SH OPTIONS',
    ...options,
    '.TP',
    '.B \\-\\-version',
    'says which version this is',
    '.SH ENVIRONMENT',
    '.TP',
    '.B BTC_RPC\\fR, \\fBBTC_COOKIE',
    'The Bitcoin node, where \\-\\-rpc and \\-\\-cookie are not given.',
    '.TP',
    '.B LEECHER_PASSPHRASE',
    'The passphrase of the seed.',
    '.SH EXIT STATUS',
    plain(`${EXIT_CODES}.`),
    '.SH FILES',
    '.TP',
    '.I ~/.config/seedfleet\\-leecher.json',
    'Defaults: a JSON object with the long options as keys.',
    '.TP',
    '.I ~/.local/share/seedfleet\\-leecher',
    'The wallet.',
  ].join('\n')}\n`;
}

/** Hyphens of options must stay hyphens, and a line must not begin with a request. */
function plain(text: string): string {
  return text
    .replace(/\\/g, '\\\\')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/, '\\&$1');
}
