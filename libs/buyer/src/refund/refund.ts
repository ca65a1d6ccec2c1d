import { isHeldByNode } from '@seedfleet/bitcoin-node';
import { bestEcdsa, fromHex, p2pkhScript, refundMaturityMtp, type ChannelParameters } from '@seedfleet/payment-channel';
import { buildRefund } from '@seedfleet/wallet';
import type { Reporter } from '../events.js';
import { BuyerError, ExitCode } from '../failure.js';
import type { ContractOutput, ContractRecord, ContractRecords } from '../wallet/contract-records.js';
import type { WalletKeys } from '../wallet/keys.js';
import { expectAnswer, type NodeLink } from '../wallet/node-link.js';

const FEE_TARGET_BLOCKS = 6;
const LEAST_FEE_PER_KB_SAT = 1_000n;

/** Takes back every deposit whose lock has ended and that nobody has settled. Reports each open one. */
export class Refunds {
  private refused = 0;

  constructor(
    private readonly link: NodeLink,
    private readonly keys: WalletKeys,
    private readonly records: ContractRecords,
    private readonly reporter: Reporter,
  ) {}

  /**
   * Looks at every contract. A refund that the node refuses doesn't keep the others from being taken back: it is
   * reported, and at the end the command fails with `refund-refused`.
   */
  async run(): Promise<void> {
    for (const contract of this.records.all()) {
      let current = contract;
      for (const output of contract.outputs) {
        if (output.state === 'settled') continue;
        const looked = await this.look(current, output);
        if (looked === output) continue;
        current = withOutput(current, looked);
        this.records.save(current);
      }
    }
    if (this.refused > 0) {
      throw new BuyerError(ExitCode.failed, 'refund-refused', `the node refuses ${this.refused} refund(s)`);
    }
  }

  private async look(contract: ContractRecord, output: ContractOutput): Promise<ContractOutput> {
    const outpoint = `${contract.txid}:${output.vout}`;
    const { node } = this.link;
    const coin = expectAnswer(await node.unspentOutput({ txid: contract.txid, vout: output.vout }));
    if (coin === null) {
      const funding = expectAnswer(await node.transaction(contract.txid));
      if (funding === null)
        return this.say(outpoint, 'unknown', 'the node does not have the funding transaction', output);
      if (output.refundTxid !== null) {
        return this.say(outpoint, 'refunded', output.refundTxid, { ...output, state: 'refunded' });
      }
      return this.say(outpoint, 'settled', 'the seller has settled; the change is in the wallet', {
        ...output,
        state: 'settled',
      });
    }
    if (coin.confirmations === 0) {
      return this.say(outpoint, 'unconfirmed', 'the lock begins when the deposit is mined', output);
    }
    const maturity = await this.maturityMtp(contract, output);
    const mtp = await this.medianTimePast();
    if (mtp < maturity) {
      const when = new Date(maturity * 1_000).toISOString();
      return this.say(outpoint, 'locked', `refundable when the median time reaches ${when}`, output);
    }
    return this.refund(contract, output, outpoint);
  }

  private async refund(contract: ContractRecord, output: ContractOutput, outpoint: string): Promise<ContractOutput> {
    const { contract: key, payout } = this.keys.channel(output.keyIndex);
    const channel: ChannelParameters = {
      network: contract.network,
      priceSat: 0n,
      lockUnits: output.lockUnits,
      settlementFeeSat: 0n,
      fundingValueSat: BigInt(output.valueSat),
      fundingOutpoint: { txid: fromHex(contract.txid), index: output.vout },
      buyerPublicKey: fromHex(output.buyerPublicKey),
      sellerPublicKey: fromHex(output.sellerPublicKey),
      buyerKeyHash: payout.keyHash,
      sellerKeyHash: payout.keyHash,
    };
    const estimate = expectAnswer(await this.link.node.feeEstimate(FEE_TARGET_BLOCKS)) ?? LEAST_FEE_PER_KB_SAT;
    const ratePerKbSat = estimate > LEAST_FEE_PER_KB_SAT ? estimate : LEAST_FEE_PER_KB_SAT;
    const spend = buildRefund(channel, key.privateKey, p2pkhScript(payout.keyHash), ratePerKbSat, bestEcdsa());
    if (!spend.ok) return this.say(outpoint, 'not-worth-it', spend.error.code, output);
    // Noted before it leaves, so that a spent output is known as ours after a crash.
    const noted = { ...output, refundTxid: spend.transaction.txid };
    this.records.save(withOutput(contract, noted));
    const outcome = expectAnswer(await this.link.node.broadcast(Buffer.from(spend.transaction.bytes).toString('hex')));
    if (!isHeldByNode(outcome.code)) {
      this.refused += 1;
      // Not on its way after all: were the note kept, a settlement would pass for this refund.
      this.records.save(contract);
      const { code, reason } = outcome;
      this.reporter.report({ event: 'refund', outpoint, state: 'refused', detail: `${code}: ${reason}`, code });
      return output;
    }
    return this.say(outpoint, 'refunding', `${spend.valueSat} sat by ${spend.transaction.txid}`, noted);
  }

  /** BIP 68: the lock counts from the median time of the block before the one that holds the deposit. */
  private async maturityMtp(contract: ContractRecord, output: ContractOutput): Promise<number> {
    const { node } = this.link;
    const funding = expectAnswer(await node.transaction(contract.txid, { vout: output.vout }));
    if (funding?.place.kind !== 'block') {
      throw new BuyerError(ExitCode.failed, 'chain-moved', 'the chain moved while looking; run it again');
    }
    const header = expectAnswer(await node.header(funding.place.block.hash));
    const previous =
      typeof header?.previousHash === 'string' ? expectAnswer(await node.header(header.previousHash)) : null;
    if (previous === null) {
      throw new BuyerError(ExitCode.failed, 'chain-moved', 'the chain moved while looking; run it again');
    }
    return refundMaturityMtp(previous.medianTimeSec, output.lockUnits);
  }

  private async medianTimePast(): Promise<number> {
    const { node } = this.link;
    const header = expectAnswer(await node.header(expectAnswer(await node.tip()).hash));
    if (header === null) throw new BuyerError(ExitCode.failed, 'chain-moved', 'the node lost its tip');
    return header.medianTimeSec;
  }

  private say(outpoint: string, state: string, detail: string, output: ContractOutput): ContractOutput {
    this.reporter.report({ event: 'refund', outpoint, state, detail });
    return output;
  }
}

function withOutput(contract: ContractRecord, changed: ContractOutput): ContractRecord {
  const outputs = contract.outputs.map((output) => (output.vout === changed.vout ? changed : output));
  return { ...contract, outputs };
}
