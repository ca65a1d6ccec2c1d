import { setTimeout as sleep } from 'node:timers/promises';
import { RegtestControl, type ScriptUnspent } from '@seedfleet/bitcoin-node';
import { fromHex, toHex } from '@seedfleet/payment-channel';
import { outputScript, sumSat, walletAddress, type Coin } from '@seedfleet/wallet';
import type { Reporter } from '../events.js';
import { BuyerError, ExitCode } from '../failure.js';
import type { ContractRecords } from './contract-records.js';
import type { CoinKey, WalletKeys } from './keys.js';
import { expectAnswer, type NodeLink } from './node-link.js';
import type { ReceivedCoins } from './received.js';
import type { SendRecords } from './send-records.js';

/** Coins of a block may be spent after 100 more blocks. */
const COINBASE_MATURITY = 100;
/** Beyond this many the largest are used: their worth is what counts. */
const MAX_COINS = 400;
/** A node scans its coins for one question at a time: how long to wait for another wallet's. */
const SCAN_PATIENCE_MS = 10 * 60_000;
const SCAN_RETRY_MS = 1_000;
/** Scans in a row because each found a new address in use; more would be no wallet of a person. */
const MAX_SCANS = 200;

export interface CoinStores {
  readonly records: ContractRecords;
  readonly sends: SendRecords;
  readonly received: ReceivedCoins;
}

/** A coin found by a scan, mature or not. */
export interface FoundCoin extends ScriptUnspent {
  readonly owner: CoinKey;
  readonly mature: boolean;
}

/**
 * The wallet's coins, as the node it was given sees them: a scan of the node's unspent outputs for the wallet's scripts.
 * That needs no index and no wallet of the node and changes nothing in it; it takes about a minute on the main chain, so
 * it is done once and its coins are then looked up one by one.
 */
export class WalletCoins {
  private scanned: readonly FoundCoin[] | undefined;

  constructor(
    private readonly link: NodeLink,
    private readonly keys: WalletKeys,
    private readonly stores: CoinStores,
  ) {}

  /** Every confirmed unspent output of the wallet, by a fresh scan; the gap moves on as used addresses are found. */
  async scan(): Promise<readonly FoundCoin[]> {
    for (let round = 0; round < MAX_SCANS; round += 1) {
      const owned = new Map(this.keys.coinKeys().map((owner) => [scriptOf(owner), owner]));
      const { height: tip } = expectAnswer(await this.link.node.tip());
      const unspent = await this.scanFor([...owned.keys()].map(fromHex));
      const found = unspent.flatMap((coin): FoundCoin[] => {
        const owner = owned.get(toHex(coin.script));
        const mature = !coin.coinbase || tip - coin.height + 1 >= COINBASE_MATURITY;
        return owner === undefined ? [] : [{ ...coin, owner, mature }];
      });
      const news = found.map(({ owner: { use, index } }) => this.keys.markUsed(use, index));
      this.scanned = found;
      this.noteReceived(found);
      if (!news.includes(true)) return found;
    }
    throw new BuyerError(ExitCode.failed, 'too-many-addresses', 'the scan for used addresses does not end');
  }

  /** Spendable coins: confirmed and mature ones, and our own change that waits in the mempool. */
  async spendable(): Promise<Coin[]> {
    const known = (this.scanned ?? (await this.scan())).filter(({ mature }) => mature);
    const largest = [...known].sort((a, b) => (a.valueSat < b.valueSat ? 1 : -1)).slice(0, MAX_COINS);
    const coins: Coin[] = [];
    for (const { txid, vout, valueSat, owner } of largest) {
      // Also null while the mempool has a spender.
      if (expectAnswer(await this.link.node.unspentOutput({ txid, vout })) === null) continue;
      coins.push({ key: owner.key, kind: owner.kind, outpoint: { txid: fromHex(txid), index: vout }, valueSat });
    }
    return [...coins, ...(await this.ownChange(coins))];
  }

  /** Coins that reach the amount. On regtest the wallet mines itself coins when it is short. */
  async atLeast(amountSat: bigint, reporter: Reporter): Promise<Coin[]> {
    let coins = await this.spendable();
    if (sumSat(coins) < amountSat) {
      await this.scan();
      coins = await this.spendable();
    }
    if (sumSat(coins) < amountSat && this.link.walletNetwork.startsWith('regtest')) {
      await this.mine(amountSat - sumSat(coins), reporter);
      await this.scan();
      coins = await this.spendable();
    }
    const totalSat = sumSat(coins);
    if (totalSat >= amountSat) return coins;
    throw new BuyerError(
      ExitCode.coins,
      'not-enough-coins',
      `${totalSat} sat are spendable, ${amountSat} are needed; send the difference to ${this.receiveAddress()}`,
    );
  }

  receiveAddress(): string {
    return walletAddress(this.keys.account.kind, this.keys.receiveKey.keyHash, this.link.walletNetwork);
  }

  /** Waits for its turn: a node refuses a second scan. */
  private async scanFor(scripts: readonly Uint8Array[]): Promise<readonly ScriptUnspent[]> {
    const giveUpAtMs = performance.now() + SCAN_PATIENCE_MS;
    for (;;) {
      const answer = await this.link.node.unspentByScript(scripts);
      const busy = !answer.ok && /already in progress/i.test(answer.error.message);
      if (!busy || performance.now() > giveUpAtMs) return expectAnswer(answer);
      await sleep(SCAN_RETRY_MS);
    }
  }

  /** Change of our own transactions that no scan has seen: it is not in a block yet, or came after the scan. */
  private async ownChange(known: readonly Coin[]): Promise<Coin[]> {
    const have = new Set(known.map(({ outpoint }) => `${toHex(outpoint.txid)}:${outpoint.index}`));
    const { records, sends } = this.stores;
    const made = [...records.all(this.link.channelNetwork), ...sends.all(this.link.walletNetwork)];
    const coins: Coin[] = [];
    for (const { txid, state, change } of made) {
      if (change === null || state !== 'broadcast' || have.has(`${txid}:${change.vout}`)) continue;
      const output = expectAnswer(await this.link.node.unspentOutput({ txid, vout: change.vout }));
      if (output === null) continue;
      const key = this.keys.walletKey('change', change.index);
      const outpoint = { txid: fromHex(txid), index: change.vout };
      coins.push({ key, kind: this.keys.account.kind, outpoint, valueSat: output.valueSat });
    }
    return coins;
  }

  private noteReceived(found: readonly FoundCoin[]): void {
    const seenAt = new Date().toISOString();
    const received = found.filter(({ owner }) => owner.use === 'receive');
    this.stores.received.note(
      received.map(({ txid, vout, valueSat, height, owner }) => ({
        outpoint: `${txid}:${vout}`,
        valueSat: valueSat.toString(),
        index: owner.index,
        height,
        seenAt,
      })),
    );
  }

  /** Mines to the wallet until the missing amount has matured; the subsidy of regtest halves every 150 blocks. */
  private async mine(missingSat: bigint, reporter: Reporter): Promise<void> {
    const regtest = new RegtestControl(this.link.rpc);
    try {
      const { height } = expectAnswer(await this.link.node.tip());
      const halvings = BigInt(Math.floor((height + 1 + COINBASE_MATURITY) / 150));
      const subsidySat = 5_000_000_000n >> (halvings < 33n ? halvings : 33n);
      const wanted = subsidySat === 0n ? 0 : Number((missingSat + subsidySat - 1n) / subsidySat);
      const blocks = Math.min(Math.max(wanted, 1), 150) + COINBASE_MATURITY;
      reporter.report({ event: 'mining', blocks, detail: `${missingSat} sat are missing` });
      expectAnswer(await regtest.mine(blocks, this.receiveAddress()));
    } finally {
      regtest.close();
    }
  }
}

function scriptOf({ kind, key }: CoinKey): string {
  return toHex(outputScript(kind, key.keyHash));
}
