import { randomBytes } from 'node:crypto';
import { Transaction } from 'bitcoinjs-lib';
import { callRpc, mine, walletUrl } from '@seedfleet/fleet';
import {
  bestEcdsa,
  derSignature,
  fromHex,
  hash160,
  inputDigest,
  p2pkhAddress,
  p2pkhScript,
  reversed,
  toHex,
} from '@seedfleet/payment-channel';

const ecdsa = bestEcdsa();
const SIGHASH_ALL = 0x01;
const SPARE_COINS = 20;
/** Size of a signed P2PKH input with the longest usual signature. */
const INPUT_BYTES = 149;

export interface KeyPair {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly keyHash: Uint8Array;
}

export function newKeyPair(): KeyPair {
  const privateKey = new Uint8Array(randomBytes(32));
  const publicKey = ecdsa.publicKeyFor(privateKey);
  if (publicKey === undefined) throw new Error('2⁻¹²⁸ happened');
  return { privateKey, publicKey, keyHash: hash160(publicKey) };
}

export interface Coin {
  readonly txid: Uint8Array;
  readonly vout: number;
  readonly valueSat: bigint;
  readonly key: KeyPair;
}

export interface Output {
  readonly script: Uint8Array;
  readonly valueSat: bigint;
}

/** A transaction as it goes to the node. */
export interface Built {
  /** Display order. */
  readonly txid: Uint8Array;
  readonly hex: string;
  /** What it spends. */
  readonly coin: Coin;
}

/** Output that the reference desktop adds to every contract: value 0, OP_RETURN "js" (payment channel §4). */
export const JS_MARK: Output = { script: Uint8Array.of(0x6a, 0x02, 0x6a, 0x73), valueSat: 0n };

/**
 * A buyer's coins as the reference wallet holds them: legacy P2PKH, on regtest. Inputs are always signed by the legacy
 * rule, which is what a Bitcoin node takes whatever the channels' payments are signed by.
 */
export class ReferenceWallet {
  private readonly coins: Coin[] = [];

  constructor(private readonly rpcUrl: string) {}

  /** At least so many coins, and some more at once when there are fewer. */
  async ensure(count: number, valueSat: bigint): Promise<void> {
    if (this.coins.length < count) await this.deposit(count + SPARE_COINS, valueSat);
  }

  /** Gets coins of the node's wallet, each in a transaction of its own, and mines them. */
  async deposit(count: number, valueSat: bigint): Promise<void> {
    const keys = Array.from({ length: count }, () => newKeyPair());
    const outputs = Object.fromEntries(
      keys.map(({ keyHash }) => [p2pkhAddress(keyHash, 'regtest'), coinsOf(valueSat)] as const),
    );
    const txid = (await callRpc(walletUrl(this.rpcUrl), 'sendmany', ['', outputs])) as string;
    await mine(this.rpcUrl, 1);
    const raw = Transaction.fromHex((await callRpc(this.rpcUrl, 'getrawtransaction', [txid])) as string);
    for (const key of keys) {
      const script = toHex(p2pkhScript(key.keyHash));
      const vout = raw.outs.findIndex((output) => toHex(output.script) === script);
      this.coins.push({ txid: fromHex(txid), vout, valueSat, key });
    }
  }

  /**
   * A signed transaction: the outputs in this order, P2PKH change last, version 1, one coin as its input.
   * @param options.coin an earlier transaction's, to spend it again
   */
  build(outputs: readonly Output[], options: { feePerKbSat?: bigint; coin?: Coin } = {}): Built {
    const coin = options.coin ?? this.coins.shift();
    if (coin === undefined) throw new Error('no coin is left: deposit more');
    const transaction = new Transaction();
    transaction.version = 1;
    transaction.addInput(reversed(coin.txid), coin.vout);
    for (const { script, valueSat } of outputs) transaction.addOutput(script, valueSat);
    const size = BigInt(10 + INPUT_BYTES + 34 + outputs.reduce((sum, { script }) => sum + 9 + script.length, 0));
    const feeSat = (size * (options.feePerKbSat ?? 1_024n) + 999n) / 1_000n;
    const spentSat = outputs.reduce((sum, { valueSat }) => sum + valueSat, 0n);
    const change = newKeyPair();
    transaction.addOutput(p2pkhScript(change.keyHash), coin.valueSat - spentSat - feeSat);
    const digest = inputDigest(transaction, 0, p2pkhScript(coin.key.keyHash), coin.valueSat, 'legacy');
    const signature = Buffer.concat([
      derSignature(ecdsa.sign(digest, coin.key.privateKey)),
      Uint8Array.of(SIGHASH_ALL),
    ]);
    transaction.setInputScript(0, Buffer.concat([push(signature), push(coin.key.publicKey)]));
    return { txid: fromHex(transaction.getId()), hex: transaction.toHex(), coin };
  }

  async broadcast({ hex }: Built): Promise<void> {
    await callRpc(this.rpcUrl, 'sendrawtransaction', [hex]);
  }
}

function push(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}

/** Satoshi as the decimal text of RPC. */
function coinsOf(valueSat: bigint): string {
  return `${valueSat / 100_000_000n}.${(valueSat % 100_000_000n).toString().padStart(8, '0')}`;
}
