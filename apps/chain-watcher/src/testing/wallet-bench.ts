import {
  decimalFromSat,
  parseTransactionHex,
  RegtestControl,
  type NodeResult,
  type Outpoint,
  type TxOutput,
} from '@seedfleet/bitcoin-node';
import { z } from 'zod';

/** The value of a result; fails the test with the error's text otherwise. */
export async function must<T>(result: Promise<NodeResult<T>>): Promise<T> {
  const settled = await result;
  if (settled.ok) return settled.value;
  throw new Error(`${settled.error.method}: ${settled.error.code}: ${settled.error.message}`);
}

export interface Coin extends Outpoint {
  readonly valueSat: bigint;
  readonly script: Uint8Array<ArrayBuffer>;
}

/** A signed transaction with one output, sent or not. */
export interface Payment {
  readonly txid: string;
  readonly hex: string;
  readonly raw: Uint8Array<ArrayBuffer>;
  /** Its only output. */
  readonly coin: Coin;
}

/** A copy of its own: a parsed script is a view of the whole transaction. */
const asCoin = ({ valueSat, script }: TxOutput) => ({ valueSat, script: new Uint8Array(script) });

const signed = z.object({ hex: z.string(), complete: z.literal(true) });
const listed = z.object({ hex: z.string(), details: z.array(z.object({ address: z.string(), vout: z.int() })) });

/** Makes coins and transactions with the development node's wallet. */
export class WalletBench {
  readonly control: RegtestControl;

  constructor(rpcUrl: string) {
    this.control = new RegtestControl({ url: rpcUrl });
  }

  async ready(): Promise<void> {
    await must(this.control.ensureWallet());
    await must(this.control.ensureCoins(10_00000000n));
  }

  /** A confirmed coin that the wallet will not spend by itself. */
  async coin(valueSat = 10_000_000n): Promise<Coin> {
    const address = await must(this.control.newAddress());
    const txid = await must(this.control.send(address, valueSat));
    await must(this.control.mine(1));
    const { hex, details } = await must(this.control.wallet(listed, 'gettransaction', [txid]));
    const vout = details.find((entry) => entry.address === address)?.vout ?? -1;
    const output = parseTransactionHex(hex)?.outputs[vout];
    if (!output) throw new Error('the wallet does not list the coin');
    await must(this.control.wallet(z.boolean(), 'lockunspent', [false, [{ txid, vout }]]));
    return { txid, vout, ...asCoin(output) };
  }

  /** Signs a payment of a coin to a new address, without sending it. */
  pay(coin: Coin, feeSat: bigint): Promise<Payment> {
    return this.payTogether([coin], feeSat);
  }

  /** The same with several coins at once. */
  async payTogether(coins: readonly Coin[], feeSat: bigint): Promise<Payment> {
    const sumSat = coins.reduce((sum, { valueSat }) => sum + valueSat, 0n);
    const outputs = [{ [await must(this.control.newAddress())]: decimalFromSat(sumSat - feeSat) }];
    const inputs = coins.map(({ txid, vout }) => ({ txid, vout }));
    const raw = await must(this.control.wallet(z.string(), 'createrawtransaction', [inputs, outputs]));
    const parents = coins.map(({ txid, vout, valueSat, script }) => ({
      txid,
      vout,
      amount: decimalFromSat(valueSat),
      scriptPubKey: Buffer.from(script).toString('hex'),
    }));
    const { hex } = await must(this.control.wallet(signed, 'signrawtransactionwithwallet', [raw, parents]));
    const transaction = parseTransactionHex(hex);
    const output = transaction?.outputs[0];
    if (!transaction || !output) throw new Error('the wallet signed no transaction');
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
    return { txid: transaction.txid, hex, raw: bytes, coin: { txid: transaction.txid, vout: 0, ...asCoin(output) } };
  }

  async send(payment: Payment): Promise<void> {
    await must(this.control.wallet(z.string(), 'sendrawtransaction', [payment.hex]));
  }

  /** Replaces the newest blocks by empty ones, one more than were lost. */
  async reorganise(depth: number): Promise<void> {
    const height = await must(this.control.wallet(z.int(), 'getblockcount', []));
    const hash = await must(this.control.wallet(z.string(), 'getblockhash', [height - depth + 1]));
    await must(this.control.invalidate(hash));
    for (let block = 0; block <= depth; block += 1) await must(this.control.mineOnly([]));
  }

  close(): void {
    this.control.close();
  }
}
