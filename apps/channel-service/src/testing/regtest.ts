/** A coin of the tests' wallet, bitcoin: more than any payment of theirs. */
const COIN = '0.05';

/** The Bitcoin node of the tests: a wallet with coins, and blocks on demand. */
export class Regtest {
  private readonly url: string;
  private readonly authorization: string;

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
    const signed = await this.call<{ hex: string }>('signrawtransactionwithwallet', funded.hex);
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
