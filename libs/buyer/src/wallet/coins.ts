import { RegtestControl } from '@seedfleet/bitcoin-node';
import { fromHex, toHex } from '@seedfleet/payment-channel';
import { outputScript, sumSat, walletAddress, type Coin } from '@seedfleet/wallet';
import type { Reporter } from '../events.js';
import { BuyerError, ExitCode } from '../failure.js';
import type { ContractRecords } from './contract-records.js';
import type { WalletKeys } from './keys.js';
import { expectAnswer, type NodeLink } from './node-link.js';

/** Coins of a block may be spent after 100 more blocks. */
const COINBASE_MATURITY = 100;
/** Beyond this many the largest are used: their worth is what counts. */
const MAX_COINS = 400;

/** The wallet's coins, as the node it was given sees them. */
export class WalletCoins {
  constructor(
    private readonly link: NodeLink,
    private readonly keys: WalletKeys,
    private readonly records: ContractRecords,
  ) {}

  /** Spendable coins: confirmed ones first choice, and our own change that waits in the mempool. */
  async spendable(): Promise<Coin[]> {
    const owned = new Map(
      this.keys.coinKeys().map(({ key, kind }) => [toHex(outputScript(kind, key.keyHash)), { key, kind }]),
    );
    const scripts = [...owned.keys()].map(fromHex);
    const tip = expectAnswer(await this.link.node.tip());
    const found = expectAnswer(await this.link.node.unspentByScript(scripts));
    const mature = found
      .filter(({ coinbase, height }) => !coinbase || tip.height - height + 1 >= COINBASE_MATURITY)
      .sort((a, b) => (a.valueSat < b.valueSat ? 1 : -1))
      .slice(0, MAX_COINS);
    const outpoints = mature.map(({ txid, vout }) => ({ txid, vout }));
    const spenders = outpoints.length === 0 ? [] : expectAnswer(await this.link.node.mempoolSpenders(outpoints));
    const confirmed = mature.flatMap((coin, place): Coin[] => {
      const owner = owned.get(toHex(coin.script));
      if (owner === undefined || (spenders[place]?.spenderTxid ?? null) !== null) return [];
      return [{ ...owner, outpoint: { txid: fromHex(coin.txid), index: coin.vout }, valueSat: coin.valueSat }];
    });
    return [...confirmed, ...(await this.unconfirmedChange())];
  }

  /** Coins that reach the amount. On regtest the wallet mines itself coins when it is short. */
  async atLeast(amountSat: bigint, reporter: Reporter): Promise<Coin[]> {
    let coins = await this.spendable();
    if (sumSat(coins) < amountSat && this.link.walletNetwork.startsWith('regtest')) {
      await this.mine(amountSat - sumSat(coins), reporter);
      coins = await this.spendable();
    }
    const totalSat = sumSat(coins);
    if (totalSat >= amountSat) return coins;
    const address = this.receiveAddress();
    throw new BuyerError(
      ExitCode.coins,
      'not-enough-coins',
      `${totalSat} sat are spendable, ${amountSat} are needed; send the difference to ${address}`,
    );
  }

  receiveAddress(): string {
    return walletAddress(this.keys.account.kind, this.keys.receiveKey.keyHash, this.link.walletNetwork);
  }

  private async unconfirmedChange(): Promise<Coin[]> {
    const coins: Coin[] = [];
    for (const { txid, state, change } of this.records.all()) {
      if (change === null || state !== 'broadcast') continue;
      const output = expectAnswer(await this.link.node.unspentOutput({ txid, vout: change.vout }));
      if (output === null || output.confirmations > 0) continue;
      const key = this.keys.account.key('change', change.index);
      coins.push({
        key,
        kind: this.keys.account.kind,
        outpoint: { txid: fromHex(txid), index: change.vout },
        valueSat: output.valueSat,
      });
    }
    return coins;
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
