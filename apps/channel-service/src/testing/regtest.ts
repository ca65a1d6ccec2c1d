/** A coin of the tests' wallet, bitcoin: more than any payment of theirs. */
const COIN = '0.05';

/** What a rival pays more than the transaction that it pushes out: far above every rule of replacement. */
const RIVAL_MORE_SAT = 50_000n;

/** The Bitcoin node of the tests: a wallet with coins, and blocks on demand. */
export class Regtest {
  private readonly url: string;
  private readonly authorization: string;
  /** The last block before the first one of the time to come. */
  private beforeAhead: string | undefined;

  constructor(rpcUrl: string) {
    const url = new URL(rpcUrl);
    this.authorization = `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`;
    url.username = '';
    url.password = '';
    this.url = url.href;
  }

  async call<T>(method: string, ...params: unknown[]): Promise<T> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { authorization: this.authorization },
      body: JSON.stringify({ id: 1, method, params }),
    });
    const { result, error } = (await response.json()) as { result: T; error: { message: string } | null };
    if (error !== null) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async mine(blocks = 1): Promise<void> {
    await this.call('generatetoaddress', blocks, await this.call<string>('getnewaddress'));
  }

  /** Lets the chain's median time run so far ahead of what it is now, or of the clock. Whoever does goes back at the end. */
  async runAhead(seconds: number): Promise<void> {
    this.beforeAhead ??= await this.call<string>('getbestblockhash');
    const { mediantime } = await this.call<{ mediantime: number }>('getblockchaininfo');
    await this.call('setmocktime', Math.max(mediantime, Math.floor(Date.now() / 1_000)) + seconds);
    await this.mine(6);
  }

  /** Takes the blocks of the time to come away: others use the same node, which takes none that is two hours ahead. */
  async backToNow(): Promise<void> {
    await this.call('setmocktime', 0);
    if (this.beforeAhead === undefined) return;
    const { nextblockhash } = await this.call<{ nextblockhash: string }>('getblockheader', this.beforeAhead);
    this.beforeAhead = undefined;
    await this.call('invalidateblock', nextblockhash);
    await this.mine();
  }

  /** Sees to so many confirmed coins: a payment from unconfirmed ones is no funding that is served before a block. */
  async provide(coins: number): Promise<void> {
    const confirmed = await this.call<unknown[]>('listunspent', 1, 9_999_999, [], true, { minimumAmount: COIN });
    if (confirmed.length >= coins) return;
    const outputs: Record<string, string> = {};
    for (let made = confirmed.length; made < coins; made += 1) {
      outputs[await this.call<string>('getnewaddress')] = COIN;
    }
    await this.call('sendmany', '', outputs);
    await this.mine();
  }

  /** Pays exact amounts, the outputs in this order, at a fee rate; the wallet adds confirmed inputs and change. Not broadcast. */
  async pay(
    outputs: readonly { readonly address: string; readonly sat: bigint }[],
    satPerKvb: bigint,
    { replaceable = false }: { readonly replaceable?: boolean } = {},
  ): Promise<Payment> {
    const wanted = outputs.map(({ address, sat }) => ({ [address]: bitcoins(sat) }));
    const raw = await this.call<string>('createrawtransaction', [], wanted, 0, replaceable);
    const funded = await this.call<{ hex: string }>('fundrawtransaction', raw, {
      // A little more than asked for, because RPC wants satoshi per byte with three digits.
      fee_rate: Number(satPerKvb + 20n) / 1_000,
      changePosition: outputs.length,
      replaceable,
      minconf: 1,
    });
    return this.signed(funded.hex);
  }

  /** The same, paid from an output of a transaction of the wallet that is in no block yet. */
  async payUnconfirmed(
    outputs: readonly { readonly address: string; readonly sat: bigint }[],
    satPerKvb: bigint,
  ): Promise<Payment> {
    const parent = await this.pay([{ address: await this.call<string>('getnewaddress'), sat: 1_000_000n }], satPerKvb);
    await this.send(parent);
    const wanted = outputs.map(({ address, sat }) => ({ [address]: bitcoins(sat) }));
    const inputs = [{ txid: parent.txid, vout: 0 }];
    const raw = await this.call<string>('createrawtransaction', inputs, wanted, 0, false);
    const funded = await this.call<{ hex: string }>('fundrawtransaction', raw, {
      fee_rate: Number(satPerKvb + 20n) / 1_000,
      changePosition: outputs.length,
      replaceable: false,
      add_inputs: false,
      include_unsafe: true,
    });
    return this.signed(funded.hex);
  }

  /** Another transaction that spends the same coins, to the wallet, and pays more for it. Not broadcast. */
  async rivalOf(payment: Payment): Promise<Payment> {
    const { vin, vout } = await this.call<{ vin: { txid: string; vout: number }[]; vout: { value: number }[] }>(
      'decoderawtransaction',
      payment.hex,
    );
    const sumSat = vout.reduce((sum, { value }) => sum + BigInt(Math.round(value * 1e8)), 0n);
    const to = [{ [await this.call<string>('getnewaddress')]: bitcoins(sumSat - RIVAL_MORE_SAT) }];
    const inputs = vin.map((input) => ({ txid: input.txid, vout: input.vout, sequence: 0xffff_fffd }));
    return this.signed(await this.call<string>('createrawtransaction', inputs, to));
  }

  /** Mines one block with exactly these transactions, whatever the mempool holds. */
  async mineOnly(...payments: readonly Payment[]): Promise<void> {
    const hexes = payments.map(({ hex }) => hex);
    await this.call('generateblock', await this.call<string>('getnewaddress'), hexes);
  }

  private async signed(hex: string): Promise<Payment> {
    const signed = await this.call<{ hex: string }>('signrawtransactionwithwallet', hex);
    const { txid } = await this.call<{ txid: string }>('decoderawtransaction', signed.hex);
    return { txid, hex: signed.hex };
  }

  async send(payment: Payment): Promise<void> {
    await this.call('sendrawtransaction', payment.hex);
  }

  transaction(txid: string): Promise<ChainTransaction> {
    return this.call('getrawtransaction', txid, true);
  }
}

export interface Payment {
  readonly txid: string;
  readonly hex: string;
}

export interface ChainTransaction {
  readonly txid: string;
  readonly hex: string;
  readonly confirmations?: number;
  readonly vout: readonly { readonly value: number; readonly scriptPubKey: { readonly hex: string } }[];
}

/** Satoshi as the decimal number of RPC. */
export function bitcoins(sat: bigint): string {
  return `${sat / 100_000_000n}.${(sat % 100_000_000n).toString().padStart(8, '0')}`;
}
