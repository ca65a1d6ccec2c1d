import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReferenceSeller, torrentOf, type SellerOptions, type Torrent } from '@seedfleet/interop';
import type { ProofChain } from '../world/chain.js';
import type { World } from '../world/world.js';
import { describeEnd, LeecherClient, type Ended, type LeecherEvent } from './client.js';

export const PIECES = 30;
export const PIECE_BYTES = 16_384;
export const PRICE_SAT = 150n;
/** Pieces that the reference has unpaid at most. */
export const WINDOW = 5;
const LOCK_UNITS = 10;
const COIN_SAT = 30_000n;
/** A funding transaction with a note at 1,024 sat per kB. */
const MOST_FUNDING_FEE_SAT = 600n;
/** Longer than any lock of a proof, seconds of median time. */
const PAST_EVERY_LOCK_SEC = (LOCK_UNITS + 2) * 512 + 7_200;

/** What is bought on a stage, where it is not the usual. */
export interface StageOptions {
  /** Default: `PIECES` pieces of noise, the last one short. */
  readonly content?: Buffer;
  /** Coins of 30,000 sat that the wallet begins with; default 2, and none before `fund` where 0. */
  readonly coins?: number;
}

interface Amounts {
  readonly [name: string]: string;
}

/** One buyer with an own wallet, its sellers, and the chain: what a case of the leecher's proof plays on. */
export class Stage {
  readonly client: LeecherClient;
  readonly torrent: Torrent;
  readonly torrentFile: string;
  private readonly content: Buffer;
  private readonly sellers: ReferenceSeller[] = [];
  private fundedSat = 0n;

  private constructor(
    private readonly chain: ProofChain,
    folder: string,
    content: Buffer | undefined,
  ) {
    this.client = new LeecherClient(folder, chain.rpcUrl);
    this.content = content ?? randomBytes(PIECES * PIECE_BYTES - 1);
    this.torrent = torrentOf('thirty.bin', this.content, PIECE_BYTES);
    this.torrentFile = join(folder, 'thirty.torrent');
    writeFileSync(this.torrentFile, this.torrent.file);
  }

  static async open(world: World, name: string, { content, coins = 2 }: StageOptions = {}): Promise<Stage> {
    const stage = new Stage(world.chain, join(world.folder, 'leecher', name.replace(/\W+/g, '-')), content);
    if (coins > 0) await stage.fund(coins);
    return stage;
  }

  get rpcUrl(): string {
    return this.chain.rpcUrl;
  }

  /** Coins from the node's wallet to the leecher's, in a block. */
  async fund(coins = 2): Promise<void> {
    const { address } = await this.client.ask(['wallet', 'receive'], 'address');
    for (let coin = 0; coin < coins; coin += 1) await this.chain.callWallet('sendtoaddress', address, '0.00030000');
    await this.chain.mine(1);
    this.fundedSat += BigInt(coins) * COIN_SAT;
  }

  async seller(options: Partial<SellerOptions> = {}): Promise<ReferenceSeller> {
    const terms = {
      minContractFeePerKb: 1_024n,
      minLock: LOCK_UNITS,
      minPrice: PRICE_SAT,
      maxSellers: 5,
      settlementFee: 450n,
    };
    const { torrent, content } = this;
    const seller = await ReferenceSeller.listen({
      torrent,
      content,
      terms,
      network: 'regtest',
      joinAfterMs: 50,
      ...options,
    });
    this.sellers.push(seller);
    return seller;
  }

  /** Downloads from all sellers; each deposit is mined as soon as it is made. */
  download(extra: readonly string[] = [], killAt?: string): Promise<Ended> {
    return this.client.run(this.words('download', extra), {
      ...(killAt === undefined ? {} : { killAt }),
      onEvent: (event) => this.onEvent(event),
    });
  }

  /** @param addresses of sellers, where they are not reached directly */
  words(
    command: 'download' | 'stream',
    extra: readonly string[] = [],
    addresses = this.sellers.map(({ address }) => address),
  ): string[] {
    const peers = addresses.flatMap((address) => ['--peer', address]);
    const price = ['--max-price', `${PRICE_SAT}`];
    return [command, this.torrentFile, '--out', this.client.out, '--no-search', ...price, ...peers, ...extra];
  }

  readonly onEvent = (event: LeecherEvent): void => {
    if (event.event === 'contract') void this.chain.mine(1);
  };

  isComplete(): boolean {
    const path = join(this.client.out, this.torrent.name);
    return existsSync(path) && readFileSync(path).equals(this.content);
  }

  /** The content as its owner has it. Returns its path. */
  writeContent(path: string): string {
    writeFileSync(path, this.content);
    return path;
  }

  slice(from: number, to: number): Buffer {
    return this.content.subarray(from, to);
  }

  /** The sellers broadcast what they can claim, as honest ones do. Returns the payments claimed. */
  async settle(): Promise<number> {
    let payments = 0;
    for (const { claims } of this.sellers) {
      for (const { hex, k } of claims) {
        payments += k;
        // An earlier settlement of the same deposit may be in a block already.
        await this.chain.send(hex).catch(() => undefined);
      }
    }
    await this.chain.mine(1);
    return payments;
  }

  closeSellers(): void {
    for (const seller of this.sellers.splice(0)) seller.close();
  }

  async passLocks(): Promise<void> {
    await this.chain.mine(1);
    await this.chain.moveMedianTo((await this.chain.medianTimePast()) + PAST_EVERY_LOCK_SEC);
  }

  /** Lets every lock end, takes everything back and buries it. */
  async takeBack(): Promise<readonly string[]> {
    await this.passLocks();
    const refund = await this.client.run(['refund']);
    await this.chain.mine(1);
    const again = await this.client.run(['refund']);
    return [refund, again].flatMap((ended) => (ended.exitCode === 0 ? [] : [`refund: ${describeEnd(ended)}`]));
  }

  /**
   * Where every satoshi that came has gone: what is spendable, what bought pieces, and the fees that the records name.
   * @param mostPayments payments that may have been made for pieces
   * @param known whether the fees of deposits are known, which a restore can't tell
   */
  async accountFaults(mostPayments: number, known: 'whole' | 'restored' = 'whole'): Promise<readonly string[]> {
    const balance = await this.client.ask(['wallet', 'balance'], 'balance');
    const deposits = balance['deposits'] as Amounts;
    const sat = (of: Amounts | LeecherEvent, name: string): bigint => BigInt(String(of[name]));
    const history = (await this.client.run(['wallet', 'history'])).events.filter(({ event }) => event === 'moved');
    const fees = history.reduce((sum, entry) => sum + sat(entry, 'feeSat'), 0n);
    const sent = history
      .filter(({ kind }) => kind === 'sent')
      .reduce((sum, entry) => sum - sat(entry, 'amountSat'), 0n);
    const spent = sat(deposits, 'spentSat');
    const refundFees = sat(deposits, 'refundFeesSat');
    const spendable = sat(balance, 'spendableSat');
    const faults: string[] = [];
    const expect = (name: string, found: bigint, wanted: bigint): void => {
      if (found !== wanted) faults.push(`${name}: ${found} instead of ${wanted} sat (${JSON.stringify(balance)})`);
    };
    for (const name of ['openSat', 'unseenSat']) expect(name, sat(deposits, name), 0n);
    expect('deposits', spent + sat(deposits, 'returnedSat') + refundFees, sat(deposits, 'depositedSat'));
    const accounted = spendable + sent + spent + refundFees + fees;
    if (known === 'whole') expect('all that came', accounted, this.fundedSat);
    else if (this.fundedSat - accounted > MOST_FUNDING_FEE_SAT) faults.push(`only ${accounted} sat are accounted for`);
    if (spent > BigInt(mostPayments) * PRICE_SAT)
      faults.push(`${spent} sat spent for ${mostPayments} payments at most`);
    return faults;
  }

  close(): void {
    this.closeSellers();
  }
}
