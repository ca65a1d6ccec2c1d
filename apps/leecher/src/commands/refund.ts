import { Wallet, watchRefunds, type Reporter } from '@seedfleet/buyer';
import type { Arguments } from '../cli/arguments.js';
import { passphraseFor } from './passphrase.js';

type Refunding = Extract<Arguments, { readonly command: 'refund' }>;

/** One round, or rounds until everything is back. The wallet is open only meanwhile, so that others may use it. */
export async function refund(options: Refunding, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const passphrase = await passphraseFor(options.access.walletDir, options.passphraseFile);
  const round = async () => {
    const wallet = await Wallet.open({ ...options.access, passphrase });
    try {
      return await wallet.refund(reporter);
    } finally {
      wallet.close();
    }
  };
  if (options.watch) return watchRefunds(round, reporter, signal);
  await round();
}
