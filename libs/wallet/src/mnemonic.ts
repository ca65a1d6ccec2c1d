import { entropyToMnemonic, mnemonicToEntropy, mnemonicToSeedSync, validateMnemonic } from 'bip39';
import { fromHex, toHex } from '@seedfleet/payment-channel';

/** Seeds as words that people can write down (BIP 39, English). */

/** 12 to 24 words for 16, 20, 24, 28 or 32 bytes of entropy. Throws for other lengths. */
export function mnemonicOf(entropy: Uint8Array): string {
  return entropyToMnemonic(toHex(entropy));
}

/** Whether the words are of the list and their checksum fits. */
export function isMnemonic(words: string): boolean {
  return validateMnemonic(words);
}

/** The entropy behind the words. Throws where they are not a mnemonic: ask `isMnemonic` first. */
export function entropyOf(words: string): Uint8Array {
  return fromHex(mnemonicToEntropy(words));
}

/** The 64-byte seed for BIP 32, as every wallet derives it. */
export function seedOf(words: string, passphrase = ''): Uint8Array {
  return Uint8Array.from(mnemonicToSeedSync(words, passphrase));
}
