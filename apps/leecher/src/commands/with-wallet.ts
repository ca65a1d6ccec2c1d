import { Wallet, type AccessOptions } from '@seedfleet/buyer';
import { passphraseFor } from './passphrase.js';

/** Opens the wallet, brings what an interruption left unfinished to its end, does the work, and closes it again. */
export async function withWallet<T>(
  options: { readonly access: AccessOptions; readonly passphraseFile: string | undefined },
  work: (wallet: Wallet) => Promise<T>,
): Promise<T> {
  const passphrase = await passphraseFor(options.access.walletDir, options.passphraseFile);
  const wallet = await Wallet.open({ ...options.access, passphrase });
  try {
    await wallet.resendPending();
    return await work(wallet);
  } finally {
    wallet.close();
  }
}
