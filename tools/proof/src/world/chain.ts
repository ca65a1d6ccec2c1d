import { randomBytes } from 'node:crypto';
import { parseTransactionHex, type RawTransaction } from '@seedfleet/bitcoin-node';
import { walletUrl } from '@seedfleet/fleet';
import { patientRpc } from './rpc.js';

/** A funding transaction of the node's wallet, not broadcast yet. */
export interface PreparedPayment {
  readonly hex: string;
  readonly txid: string;
  readonly vout: number;
}

/** Blocks that make a new time the median of the last eleven. */
const BLOCKS_TO_MOVE_MEDIAN = 6;
/** Blocks at a time of their own are one second apart at least. */
const MAX_ANCESTRY_CHECK = 1_000;
const SAT_PER_COIN = 100_000_000n;
/** Transactions of nearly 100,000 virtual bytes that pay 2 satoshi per byte, more of them than a mempool of 5 MB holds. */
const FILLERS = 60;
const FILLER_OUTPUTS = 2_800;
const FILLER_OUTPUT_SAT = 600n;
const FILLER_SAT = FILLER_OUTPUT_SAT * BigInt(FILLER_OUTPUTS) + 200_000n;

/** The regtest chain of a proof: coins, blocks, times and reorganisations on demand. */
export class ProofChain {
  private readonly wallet: string;
  /** What the node takes for the time, seconds; undefined while that is the machine's. */
  private mockTime: number | undefined;
  private address: string | undefined;

  constructor(readonly rpcUrl: string) {
    this.wallet = walletUrl(rpcUrl);
  }

  /** A call to the node, repeated while it is away. */
  call<T>(method: string, ...params: unknown[]): Promise<T> {
    return patientRpc<T>(this.rpcUrl, method, params);
  }

  /** A call to the node's wallet, repeated while it is away. */
  callWallet<T>(method: string, ...params: unknown[]): Promise<T> {
    return patientRpc<T>(this.wallet, method, params);
  }

  /** Signs a payment of an exact amount from confirmed coins, as a buyer's wallet does, without sending it. */
  async prepare(address: string, sat: bigint): Promise<PreparedPayment> {
    const bare = await this.callWallet<string>('createrawtransaction', [], [{ [address]: coins(sat) }], 0, false);
    const options = { changePosition: 1, lockUnspents: true, fee_rate: 5, replaceable: false, minconf: 1 };
    const { hex: funded } = await this.callWallet<{ hex: string }>('fundrawtransaction', bare, options);
    const { hex } = await this.callWallet<{ hex: string }>('signrawtransactionwithwallet', funded);
    return { hex, txid: txidOf(hex), vout: 0 };
  }

  /** Splits the wallet's coins, so that many payments can be made from confirmed ones. */
  async makeCoins(count: number, sat: bigint): Promise<void> {
    const outputs: Record<string, string> = {};
    for (let made = 0; made < count; made += 1) outputs[await this.newAddress()] = coins(sat);
    await this.callWallet('sendmany', '', outputs);
    await this.mine(1);
  }

  /**
   * Fills the mempool until it takes nothing below twice the relay minimum. Returns what it takes then, satoshi per 1000
   * virtual bytes.
   */
  async fillMempool(): Promise<bigint> {
    const outputs: Record<string, string> = {};
    for (let made = 0; made < FILLERS; made += 1) outputs[await this.newAddress()] = coins(FILLER_SAT);
    const fan = await this.callWallet<string>('sendmany', '', outputs);
    await this.mine(1);
    const found = await this.transaction(fan);
    const fanned = decode(found?.hex ?? '').outputs.flatMap(({ valueSat }, vout) =>
      valueSat === FILLER_SAT ? [vout] : [],
    );
    for (const vout of fanned) {
      const bare = filler(fan, vout);
      const { hex } = await this.callWallet<{ hex: string }>('signrawtransactionwithwallet', bare);
      // Once it is full, those that do not fit are refused: that is what is wanted.
      if ((await this.refusalOf(hex)) === undefined) await this.send(hex).catch(() => undefined);
    }
    const { mempoolminfee } = await this.call<{ mempoolminfee: number }>('getmempoolinfo');
    return BigInt(Math.round(mempoolminfee * Number(SAT_PER_COIN)));
  }

  /** Another transaction of the wallet that spends the same coins, signed and not sent. */
  async doubleSpend(hex: string): Promise<string> {
    const { inputs, outputs } = decode(hex);
    const inSat = outputs.reduce((sum, { valueSat }) => sum + valueSat, 0n);
    const to = { [await this.newAddress()]: coins(inSat) };
    const names = inputs.map(({ txid, vout }) => ({ txid, vout }));
    // The coins are spent already, so the node has to be told what they were.
    const spent = await Promise.all(names.map((name) => this.spentCoin(name)));
    const bare = await this.callWallet<string>('createrawtransaction', names, [to]);
    return (await this.callWallet<{ hex: string }>('signrawtransactionwithwallet', bare, spent)).hex;
  }

  private async spentCoin({ txid, vout }: { txid: string; vout: number }): Promise<object> {
    const output = decode((await this.transaction(txid))?.hex ?? '').outputs[vout];
    if (output === undefined) throw new Error(`${txid} has no output ${vout}`);
    const scriptPubKey = Buffer.from(output.script).toString('hex');
    return { txid, vout, scriptPubKey, amount: coins(output.valueSat) };
  }

  async newAddress(): Promise<string> {
    return this.callWallet<string>('getnewaddress');
  }

  /** Sends raw bytes; rejects with the node's refusal. */
  async send(hex: string): Promise<string> {
    return this.call<string>('sendrawtransaction', hex);
  }

  /** What the node would say to a transaction: undefined if it would take it, else its reason. */
  async refusalOf(hex: string): Promise<string | undefined> {
    const [answer] = await this.call<{ allowed: boolean; 'reject-reason'?: string }[]>('testmempoolaccept', [hex]);
    return answer?.allowed === true ? undefined : (answer?.['reject-reason'] ?? 'refused');
  }

  /** Mines blocks with whatever is in the mempool. */
  async mine(blocks = 1): Promise<void> {
    await this.keepTime();
    this.address ??= await this.newAddress();
    await this.call('generatetoaddress', blocks, this.address);
  }

  /** Mines one block with exactly these transactions: ids of the mempool, or raw bytes in hexadecimal. */
  async mineOnly(transactions: readonly string[] = []): Promise<void> {
    await this.keepTime();
    this.address ??= await this.newAddress();
    await this.call('generateblock', this.address, transactions);
  }

  /** Moves the median time past to at least this, seconds, by blocks of that time. Never back. */
  async moveMedianTo(seconds: number): Promise<void> {
    if ((await this.medianTimePast()) >= seconds) return;
    this.mockTime = Math.max(seconds + 1, this.mockTime ?? 0, Math.floor(Date.now() / 1_000));
    await this.mine(BLOCKS_TO_MOVE_MEDIAN);
  }

  /** The same without taking transactions into the blocks. */
  async moveMedianEmptyTo(seconds: number): Promise<void> {
    if ((await this.medianTimePast()) >= seconds) return;
    this.mockTime = Math.max(seconds + 1, this.mockTime ?? 0, Math.floor(Date.now() / 1_000));
    for (let block = 0; block < BLOCKS_TO_MOVE_MEDIAN; block += 1) await this.mineOnly();
  }

  async medianTimePast(): Promise<number> {
    return (await this.call<{ mediantime: number }>('getblockchaininfo')).mediantime;
  }

  async height(): Promise<number> {
    return this.call<number>('getblockcount');
  }

  async mempool(): Promise<readonly string[]> {
    return this.call<string[]>('getrawmempool');
  }

  /**
   * Replaces the newest blocks by one more, so that the new branch wins. The old blocks' transactions return to the
   * mempool; the new ones hold only what is given for the first of them.
   */
  async reorganise(depth: number, first: readonly string[] = []): Promise<void> {
    const height = await this.height();
    const hash = await this.call<string>('getblockhash', height - depth + 1);
    await this.call('invalidateblock', hash);
    await this.mineOnly(first);
    for (let made = 1; made <= depth; made += 1) await this.mineOnly();
  }

  /** A transaction and how deep it lies: 0 in the mempool; undefined if the node does not know it. */
  async transaction(txid: string): Promise<{ hex: string; confirmations: number } | undefined> {
    try {
      const found = await this.call<{ hex: string; confirmations?: number }>('getrawtransaction', txid, true);
      return { hex: found.hex, confirmations: Math.max(0, found.confirmations ?? 0) };
    } catch (thrown) {
      if (typeof (thrown as { code?: unknown }).code === 'number') return undefined;
      throw thrown;
    }
  }

  /** The transaction of the chain (blocks only) that spends an output; undefined if none does. */
  async spenderInChain(txid: string, vout: number): Promise<string | undefined> {
    const height = await this.height();
    for (let at = height; at > Math.max(0, height - MAX_ANCESTRY_CHECK); at -= 1) {
      const hash = await this.call<string>('getblockhash', at);
      const block = await this.call<{ tx: { txid: string; vin: { txid?: string; vout?: number }[] }[] }>(
        'getblock',
        hash,
        2,
      );
      for (const transaction of block.tx) {
        if (transaction.vin.some((input) => input.txid === txid && input.vout === vout)) return transaction.txid;
        if (transaction.txid === txid) return undefined;
      }
    }
    return undefined;
  }

  /** A restarted node has forgotten the time that it was told, and would find its own blocks too new. */
  private async keepTime(): Promise<void> {
    if (this.mockTime !== undefined) await this.call('setmocktime', this.mockTime);
  }
}

/** Satoshi as the node's decimal coins. */
export function coins(sat: bigint): string {
  return `${sat / SAT_PER_COIN}.${String(sat % SAT_PER_COIN).padStart(8, '0')}`;
}

export function txidOf(hex: string): string {
  return decode(hex).txid;
}

/** Throws where the bytes are no transaction. */
export function decode(hex: string): RawTransaction {
  const transaction = parseTransactionHex(hex);
  if (transaction === undefined) throw new Error('the bytes are no transaction');
  return transaction;
}

/** An unsigned transaction with one input and very many outputs, to keys that nobody has. */
function filler(txid: string, vout: number): string {
  const head = Buffer.alloc(4 + 1 + 36 + 1 + 4 + 3);
  head.writeUInt32LE(2, 0);
  head[4] = 1;
  Buffer.from(txid, 'hex').reverse().copy(head, 5);
  head.writeUInt32LE(vout, 37);
  head.writeUInt32LE(0xffff_fffd, 42);
  head[46] = 0xfd;
  head.writeUInt16LE(FILLER_OUTPUTS, 47);
  const outputs = Array.from({ length: FILLER_OUTPUTS }, () => {
    const output = Buffer.alloc(34);
    output.writeBigUInt64LE(FILLER_OUTPUT_SAT, 0);
    output.set([25, 0x76, 0xa9, 20], 8);
    randomBytes(20).copy(output, 12);
    output.set([0x88, 0xac], 32);
    return output;
  });
  return Buffer.concat([head, ...outputs, Buffer.alloc(4)]).toString('hex');
}
