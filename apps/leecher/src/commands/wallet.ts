import { readFileSync } from 'node:fs';
import {
  BuyerError,
  createSeed,
  ExitCode,
  readWords,
  restoreFromChain,
  send,
  Wallet,
  walletBalance,
  walletHistory,
  type Reporter,
} from '@seedfleet/buyer';
import type { Arguments, Reaching } from '../cli/arguments.js';
import { askNewPassphrase, askSecret, isAttended } from './ask.js';
import { passphraseFor } from './passphrase.js';
import { withWallet } from './with-wallet.js';

type Of<Command extends Arguments['command']> = Extract<Arguments, { readonly command: Command }>;

export async function initWallet(options: Of<'wallet init'>, reporter: Reporter): Promise<void> {
  const { walletDir: dir } = options.access;
  const words = createSeed(dir, { passphrase: await newPassphrase(options) });
  reporter.report({ event: 'seed', words, dir });
}

export async function showSeed({ access, passphraseFile }: Reaching, reporter: Reporter): Promise<void> {
  const { walletDir: dir } = access;
  const words = readWords(dir, { passphrase: await passphraseFor(dir, passphraseFile) });
  reporter.report({ event: 'seed', words, dir });
}

export async function restoreWallet(
  options: Of<'wallet restore'>,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const words = await seedWords(options.wordsFile);
  const passphrase = await newPassphrase(options);
  createSeed(options.access.walletDir, { passphrase }, words);
  const wallet = await Wallet.open({ ...options.access, passphrase });
  try {
    reporter.report({ event: 'restored', ...(await restoreFromChain(wallet, options.sinceSec, reporter, signal)) });
  } finally {
    wallet.close();
  }
}

export function receiveAddress(options: Reaching, reporter: Reporter): Promise<void> {
  return withWallet(options, async (wallet) => {
    await wallet.coins.scan();
    reporter.report({ event: 'address', address: wallet.coins.receiveAddress() });
  });
}

export function showBalance(options: Reaching, reporter: Reporter): Promise<void> {
  return withWallet(options, async (wallet) => {
    const { locked, deposits, mtp: _mtp, ...sums } = await walletBalance(wallet);
    reporter.report({
      event: 'balance',
      ...texts(sums),
      locked: locked.map(({ refundableAtMtp, valueSat, paidSat, ...rest }) => ({
        ...rest,
        ...texts({ valueSat, paidSat }),
        refundableAt: refundableAtMtp === undefined ? null : new Date(refundableAtMtp * 1_000).toISOString(),
      })),
      deposits: texts(deposits),
    });
  });
}

export function showHistory(options: Reaching, reporter: Reporter): Promise<void> {
  return withWallet(options, async (wallet) => {
    await wallet.coins.scan();
    await wallet.deposits();
    for (const { amountSat, feeSat, ...entry } of walletHistory(wallet)) {
      reporter.report({ event: 'moved', ...entry, ...texts({ amountSat, feeSat }) });
    }
  });
}

export function sendCoins(options: Of<'wallet send'>, reporter: Reporter): Promise<void> {
  return withWallet(options, async (wallet) => {
    const { txid, address, amountSat, feeSat } = await send(wallet, options);
    reporter.report({ event: 'sent', txid, address, amountSat, feeSat });
  });
}

async function newPassphrase(options: {
  readonly newPassphrase: boolean;
  readonly passphraseFile: string | undefined;
}) {
  if (options.newPassphrase) return askNewPassphrase();
  return passphraseFor('', options.passphraseFile);
}

/** From the file, from a person, or from standard input: never from the command line, which others can see. */
async function seedWords(file: string | undefined): Promise<string> {
  if (file === undefined && isAttended()) return askSecret('the seed words: ');
  try {
    return readFileSync(file ?? 0, 'utf8');
  } catch (failure) {
    throw new BuyerError(ExitCode.usage, 'words-unreadable', `the seed words can't be read: ${String(failure)}`);
  }
}

function texts<Key extends string>(amounts: Readonly<Record<Key, bigint>>): Record<Key, string> {
  const entries = Object.entries(amounts as Record<string, bigint>).map(([name, sat]) => [name, sat.toString()]);
  return Object.fromEntries(entries) as Record<Key, string>;
}
