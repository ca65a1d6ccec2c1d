import { z } from 'zod';
import { decimalFromSat } from '../amounts.js';
import type { NodeResult } from '../errors.js';
import type { Outpoint } from '../raw/transaction.js';
import type { RegtestControl } from '../regtest.js';

/** The value of a result; fails the test with the error's text otherwise. */
export async function must<T>(result: Promise<NodeResult<T>>): Promise<T> {
  const settled = await result;
  if (settled.ok) return settled.value;
  throw new Error(`${settled.error.method}: ${settled.error.code}: ${settled.error.message}`);
}

export interface Coin extends Outpoint {
  readonly valueSat: bigint;
}

export interface SpendOptions {
  readonly sequence?: number;
  readonly lockTime?: number;
  /** Value of the output, where it is not what the fee leaves. */
  readonly outputSat?: bigint;
  /** Outputs that the wallet has not seen, as their transactions were not sent. */
  readonly parents?: ReadonlyArray<Coin & { readonly script: Uint8Array }>;
}

const signed = z.object({ hex: z.string(), complete: z.boolean() });

/** Makes coins and transactions by hand, so that a test decides about inputs, sequence and fee. */
export class Workbench {
  constructor(readonly control: RegtestControl) {}

  /** A confirmed coin of exactly this value in the wallet. */
  async coin(valueSat: bigint, confirmed = true): Promise<Coin> {
    const address = await must(this.control.newAddress());
    const txid = await must(this.control.send(address, valueSat));
    if (confirmed) await must(this.control.mine(1));
    const detail = await must(
      this.control.wallet(
        z.object({ details: z.array(z.object({ address: z.string(), vout: z.int() })) }),
        'gettransaction',
        [txid],
      ),
    );
    const vout = detail.details.find((entry) => entry.address === address)?.vout;
    if (vout === undefined) throw new Error('the wallet does not list the coin');
    // Else the wallet would spend it for the next coin.
    await must(this.control.wallet(z.boolean(), 'lockunspent', [false, [{ txid, vout }]]));
    return { txid, vout, valueSat };
  }

  /** A signed transaction that spends these coins to one new address of the wallet. */
  async spend(coins: readonly Coin[], feeSat: bigint, options: SpendOptions = {}): Promise<string> {
    const sequence = options.sequence ?? 0xffff_fffd;
    const inputs = coins.map(({ txid, vout }) => ({ txid, vout, sequence }));
    const total = coins.reduce((sum, coin) => sum + coin.valueSat, 0n);
    const outputs = [{ [await must(this.control.newAddress())]: decimalFromSat(options.outputSat ?? total - feeSat) }];
    const raw = await must(
      this.control.wallet(z.string(), 'createrawtransaction', [
        inputs,
        outputs,
        options.lockTime ?? 0,
        sequence < 0xffff_fffe,
      ]),
    );
    const parents = (options.parents ?? []).map(({ txid, vout, valueSat, script }) => ({
      txid,
      vout,
      amount: decimalFromSat(valueSat),
      scriptPubKey: Buffer.from(script).toString('hex'),
    }));
    return (await must(this.control.wallet(signed, 'signrawtransactionwithwallet', [raw, parents]))).hex;
  }
}
