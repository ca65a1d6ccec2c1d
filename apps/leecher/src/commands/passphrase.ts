import { readFileSync } from 'node:fs';
import { BuyerError, ExitCode, needsPassphrase } from '@seedfleet/buyer';
import { askSecret, isAttended } from './ask.js';

/**
 * The passphrase of a wallet: from a file, from LEECHER_PASSPHRASE, or asked for where the seed needs one and somebody
 * is there. Undefined leaves it to the key file, as unattended wallets have.
 */
export async function passphraseFor(walletDir: string, file: string | undefined): Promise<string | undefined> {
  if (file !== undefined) return readPassphrase(file);
  const given = process.env['LEECHER_PASSPHRASE'];
  if (given !== undefined && given !== '') return given;
  return needsPassphrase(walletDir) && isAttended() ? askSecret('passphrase of the wallet: ') : undefined;
}

function readPassphrase(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (failure) {
    const { code } = failure as NodeJS.ErrnoException;
    throw new BuyerError(ExitCode.usage, 'passphrase-unreadable', `${file} can't be read: ${code ?? String(failure)}`);
  }
}
