import { findConfirmedSpends, parseTransactionHex, type FoundTransaction } from '@seedfleet/bitcoin-node';
import { p2pkhScript, refundMaturityMtp, toHex } from '@seedfleet/payment-channel';
import type { FoundCoin, WalletCoins } from './coins.js';
import type { ContractOutput, ContractRecord } from './contract-records.js';
import { chainMoved, heightAt, medianTimePast } from './chain-time.js';
import type { WalletKeys } from './keys.js';
import { expectAnswer, type NodeLink } from './node-link.js';

/** Where a deposit stands, by the chain and the node's mempool. */
export type DepositState =
  /** The node has never heard of the deposit, and its coins are free: as far as it knows nothing was spent. */
  | { readonly kind: 'not-broadcast' }
  /** Its coins went elsewhere. */
  | { readonly kind: 'void' }
  /** In the mempool: the lock begins when it is mined. */
  | { readonly kind: 'unconfirmed' }
  | { readonly kind: 'locked'; readonly maturityMtp: number; readonly mtp: number }
  | { readonly kind: 'refundable' }
  /** A transaction in the mempool spends it. */
  | { readonly kind: 'refunding' | 'settling'; readonly txid: string; readonly backSat: bigint }
  /** A transaction in a block has spent it. */
  | { readonly kind: 'refunded' | 'settled'; readonly txid: string; readonly backSat: bigint }
  /** It is spent, and by what is not found: older blocks are gone from the node. */
  | { readonly kind: 'spent-unseen' };

/** Blocks walked to find what spent a deposit, where no coin of ours tells: about a month. */
const MAX_WALK_BLOCKS = 5_000;
/** A transaction may be mined in a block whose clock is behind. */
const CLOCK_MARGIN_SEC = 3 * 3_600;

/** Looks deposits up. Scans the node's coins at most once, and only if a deposit was spent. */
export class DepositLooker {
  private scanned: Promise<readonly FoundCoin[]> | undefined;

  constructor(
    private readonly link: NodeLink,
    private readonly keys: WalletKeys,
    private readonly coins: WalletCoins,
  ) {}

  async look(contract: ContractRecord, output: ContractOutput): Promise<DepositState> {
    const { node } = this.link;
    const outpoint = { txid: contract.txid, vout: output.vout };
    const coin = expectAnswer(await node.unspentOutput(outpoint));
    if (coin !== null) {
      if (coin.confirmations === 0) return { kind: 'unconfirmed' };
      const maturityMtp = await this.maturityMtp(contract, output);
      const mtp = await medianTimePast(this.link);
      return mtp < maturityMtp ? { kind: 'locked', maturityMtp, mtp } : { kind: 'refundable' };
    }
    const spender = expectAnswer(await node.mempoolSpenders([outpoint]))[0]?.spenderTxid;
    if (spender !== null && spender !== undefined) {
      const found = expectAnswer(await node.transaction(spender));
      if (found === null) throw chainMoved();
      const kind = isOurRefund(output, spender) ? 'refunding' : 'settling';
      return { kind, txid: spender, backSat: this.backSat(found, contract, output) };
    }
    if (await this.inputsAreFree(contract)) return { kind: 'not-broadcast' };
    return (await this.confirmedSpend(contract, output)) ?? (await this.withoutSpend(contract));
  }

  /** Whether no block spends a coin of the funding transaction, which the node does not have: nothing has happened. */
  private async inputsAreFree({ raw, txid: fundingTxid }: ContractRecord): Promise<boolean> {
    const { node } = this.link;
    if (expectAnswer(await node.transaction(fundingTxid)) !== null) return false;
    const inputs = parseTransactionHex(raw)?.inputs ?? [];
    // A contract that a restore has found was in a block, and its bytes were not kept.
    if (inputs.length === 0) return false;
    for (const { txid, vout } of inputs) {
      if (expectAnswer(await node.unspentOutput({ txid, vout }, 'chain')) !== null) continue;
      // A parent of ours may itself wait for a block.
      if (expectAnswer(await node.transaction(txid))?.place.kind !== 'mempool') return false;
    }
    return true;
  }

  /** What of a transaction pays the channel's payout key. */
  private backSat({ transaction }: FoundTransaction, contract: ContractRecord, output: ContractOutput): bigint {
    const script = this.payoutScript(contract, output);
    return transaction.outputs
      .filter((candidate) => toHex(candidate.script) === script)
      .reduce((sum, { valueSat }) => sum + valueSat, 0n);
  }

  private payoutScript(contract: ContractRecord, output: ContractOutput): string {
    return toHex(p2pkhScript(this.keys.channel(output.keyIndex, contract.network).payout.keyHash));
  }

  private async confirmedSpend(contract: ContractRecord, output: ContractOutput): Promise<DepositState | undefined> {
    const { node } = this.link;
    // What came back lies at the payout key, unless it was spent before it was booked.
    this.scanned ??= this.coins.scan();
    const script = this.payoutScript(contract, output);
    const candidates = (await this.scanned).filter((coin) => toHex(coin.script) === script);
    for (const { txid, vout } of candidates) {
      const found = expectAnswer(await node.transaction(txid, { vout }));
      if (found !== null && spends(found, contract, output)) return this.ended(found, contract, output);
    }
    const fromHeight = await heightAt(this.link, Date.parse(contract.createdAt) / 1_000 - CLOCK_MARGIN_SEC);
    const outpoint = { txid: contract.txid, vout: output.vout };
    const walked = await findConfirmedSpends(node, [outpoint], fromHeight, MAX_WALK_BLOCKS);
    if (!walked.ok) return walked.error.code === 'block-unavailable' ? undefined : expectAnswer(walked);
    const spend = walked.value.spends[0];
    if (spend === undefined) return undefined;
    const found = expectAnswer(await node.transaction(spend.spenderTxid, { blockHash: spend.block.hash }));
    return found === null ? undefined : this.ended(found, contract, output);
  }

  private ended(found: FoundTransaction, contract: ContractRecord, output: ContractOutput): DepositState {
    const { txid } = found.transaction;
    const kind = isOurRefund(output, txid) ? 'refunded' : 'settled';
    return { kind, txid, backSat: this.backSat(found, contract, output) };
  }

  /** Nothing spends it, and yet it is not there: another transaction took its coins, or old blocks are gone. */
  private async withoutSpend(contract: ContractRecord): Promise<DepositState> {
    const known = expectAnswer(await this.link.node.transaction(contract.txid)) !== null;
    const served = contract.state === 'broadcast' && contract.outputs.some(({ payments }) => payments > 0);
    return known || served ? { kind: 'spent-unseen' } : { kind: 'void' };
  }

  /** BIP 68: the lock counts from the median time of the block before the one that holds the deposit. */
  private async maturityMtp(contract: ContractRecord, output: ContractOutput): Promise<number> {
    const { node } = this.link;
    const funding = expectAnswer(await node.transaction(contract.txid, { vout: output.vout }));
    if (funding?.place.kind !== 'block') throw chainMoved();
    const header = expectAnswer(await node.header(funding.place.block.hash));
    const previous =
      typeof header?.previousHash === 'string' ? expectAnswer(await node.header(header.previousHash)) : null;
    if (previous === null) throw chainMoved();
    return refundMaturityMtp(previous.medianTimeSec, output.lockUnits);
  }
}

function isOurRefund(output: ContractOutput, txid: string): boolean {
  return output.refundTxid === txid || output.refunds.some((refund) => refund.txid === txid);
}

function spends({ transaction }: FoundTransaction, contract: ContractRecord, output: ContractOutput): boolean {
  return transaction.inputs.some(({ txid, vout }) => txid === contract.txid && vout === output.vout);
}
