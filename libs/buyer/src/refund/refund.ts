import { isHeldByNode, type BroadcastOutcome } from '@seedfleet/bitcoin-node';
import { bestEcdsa, fromHex, hasSegwit, p2pkhScript, toHex, type ChannelParameters } from '@seedfleet/payment-channel';
import { buildRefund } from '@seedfleet/wallet';
import type { Reporter } from '../events.js';
import { BuyerError, ExitCode } from '../failure.js';
import { faultPoint } from '../fault-points.js';
import { bookDeposits, type BookedDeposit } from '../wallet/booking.js';
import type { ContractOutput, ContractRecord, ContractRecords, RefundAttempt } from '../wallet/contract-records.js';
import type { DepositLooker, DepositState } from '../wallet/deposit-state.js';
import { estimatedRate, larger } from '../wallet/fees.js';
import type { WalletKeys } from '../wallet/keys.js';
import { expectAnswer, type NodeLink } from '../wallet/node-link.js';

const FEE_TARGET_BLOCKS = 6;
/** A replacement pays at least 1 sat/vB more than what it replaces (BIP 125 rule 4). */
const BUMP_PER_KB_SAT = 1_000n;

export interface RefundRound {
  /** Deposits whose end is not in a block yet. */
  readonly open: number;
  /** The next lock's end, Unix seconds of median time past; undefined where none is locked. */
  readonly nextMaturityMtp: number | undefined;
}

/** Takes back every deposit whose lock has ended and that nobody has settled. Reports each one that is not over. */
export class Refunds {
  private refused = 0;

  constructor(
    private readonly link: NodeLink,
    private readonly keys: WalletKeys,
    private readonly records: ContractRecords,
    private readonly looker: Pick<DepositLooker, 'look'>,
    private readonly reporter: Reporter,
  ) {}

  /**
   * Looks at every deposit. A refund that the node refuses doesn't keep the others from being taken back: it is
   * reported, and at the end the command fails with `refund-refused`.
   */
  async run(): Promise<RefundRound> {
    const booked = await bookDeposits(this.link, this.records, this.looker as DepositLooker);
    for (const deposit of booked) await this.act(deposit);
    if (this.refused > 0) {
      throw new BuyerError(ExitCode.failed, 'refund-refused', `the node refuses ${this.refused} refund(s)`);
    }
    const maturities = booked.flatMap(({ state }) => (state.kind === 'locked' ? [state.maturityMtp] : []));
    const over = new Set<DepositState['kind']>(['settled', 'refunded', 'void', 'spent-unseen']);
    const isOpen = ({ contract, state: { kind } }: BookedDeposit): boolean =>
      kind === 'not-broadcast' ? wasUsed(contract) : !over.has(kind);
    return {
      open: booked.filter(isOpen).length,
      nextMaturityMtp: maturities.length === 0 ? undefined : Math.min(...maturities),
    };
  }

  private async act({ contract, output, state }: BookedDeposit): Promise<void> {
    const say = (detail: string): void => this.say(contract, output, state.kind, detail);
    switch (state.kind) {
      case 'refundable':
        return this.refund(contract, output);
      case 'refunding':
        say(`${state.backSat} sat by ${state.txid}`);
        return this.bump(contract, output);
      case 'settling':
        return say(`${state.backSat} sat come back by ${state.txid}`);
      case 'locked':
        return say(`refundable when the median time reaches ${new Date(state.maturityMtp * 1_000).toISOString()}`);
      case 'unconfirmed':
        return say('the lock begins when the deposit is mined');
      case 'not-broadcast':
        if (wasUsed(contract)) return this.sendAgain(contract, output);
        return say('the node does not have the deposit, and its coins are free');
      case 'spent-unseen':
        return say('it is spent, by what the node can no longer say');
      case 'settled':
      case 'refunded':
        return say(`${state.backSat} sat came back by ${state.txid}`);
      case 'void':
        return;
    }
  }

  /** A deposit that pieces were bought with has left the node's mempool: the seller is owed it. */
  private async sendAgain(contract: ContractRecord, output: ContractOutput): Promise<void> {
    const outcome = expectAnswer(await this.link.node.broadcast(contract.raw));
    if (!isHeldByNode(outcome.code)) return this.refuse(contract, output, outcome);
    this.say(contract, output, 'unconfirmed', 'the deposit was sent again');
  }

  /** Sends the refund signed last if it still pays enough, else a new one. */
  private async refund(contract: ContractRecord, output: ContractOutput): Promise<void> {
    const ratePerKbSat = await estimatedRate(this.link, FEE_TARGET_BLOCKS);
    const last = output.refunds.at(-1);
    const fresh = last === undefined || BigInt(last.ratePerKbSat) < ratePerKbSat;
    const attempt = fresh ? this.sign(contract, output, ratePerKbSat) : last;
    if (attempt === undefined) return;
    const outcome = await this.send(contract, output, attempt, fresh);
    if (isHeldByNode(outcome.code)) {
      return this.say(contract, output, 'refunding', `${attempt.valueSat} sat by ${attempt.txid}`);
    }
    this.refused += 1;
    this.refuse(contract, output, outcome);
  }

  /** Replaces a refund that waits at a rate which has become too low. The Bitcoin Cash chains replace nothing. */
  private async bump(contract: ContractRecord, output: ContractOutput): Promise<void> {
    const last = output.refunds.at(-1);
    if (last === undefined || !hasSegwit(this.link.walletNetwork)) return;
    const lastRate = BigInt(last.ratePerKbSat);
    const wanted = await estimatedRate(this.link, FEE_TARGET_BLOCKS);
    if (wanted <= lastRate) return;
    const attempt = this.sign(contract, output, larger(wanted, lastRate + BUMP_PER_KB_SAT));
    // Half of what comes back is the most that speed is worth.
    if (attempt === undefined || BigInt(attempt.feeSat) > BigInt(attempt.valueSat)) return;
    const outcome = await this.send(contract, output, attempt, true);
    if (!isHeldByNode(outcome.code)) return this.refuse(contract, output, outcome);
    this.say(contract, output, 'replaced', `${attempt.valueSat} sat by ${attempt.txid}, fee ${attempt.feeSat}`);
  }

  private sign(contract: ContractRecord, output: ContractOutput, ratePerKbSat: bigint): RefundAttempt | undefined {
    const { contract: key, payout } = this.keys.channel(output.keyIndex, contract.network);
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
    const spend = buildRefund(channel, key.privateKey, p2pkhScript(payout.keyHash), ratePerKbSat, bestEcdsa());
    if (!spend.ok) {
      this.say(contract, output, 'not-worth-it', spend.error.code);
      return undefined;
    }
    return {
      txid: spend.transaction.txid,
      raw: toHex(spend.transaction.bytes),
      valueSat: spend.valueSat.toString(),
      feeSat: spend.feeSat.toString(),
      ratePerKbSat: ratePerKbSat.toString(),
    };
  }

  /** Stored before it leaves, so that a spent output is known as ours after a crash. */
  private async send(
    contract: ContractRecord,
    output: ContractOutput,
    attempt: RefundAttempt,
    fresh: boolean,
  ): Promise<BroadcastOutcome> {
    if (fresh) {
      faultPoint('refund.before-store');
      this.records.update(contract.txid, output.vout, (now) => withRefund(now, attempt));
      faultPoint('refund.after-store');
    }
    const outcome = expectAnswer(await this.link.node.broadcast(attempt.raw));
    faultPoint('refund.after-broadcast');
    // Not on its way after all: were the note kept, a settlement would pass for this refund.
    if (fresh && !isHeldByNode(outcome.code)) {
      this.records.update(contract.txid, output.vout, (now) => withoutRefund(now, attempt));
    }
    return outcome;
  }

  private refuse(contract: ContractRecord, output: ContractOutput, { code, reason }: BroadcastOutcome): void {
    const outpoint = `${contract.txid}:${output.vout}`;
    this.reporter.report({ event: 'refund', outpoint, state: 'refused', detail: `${code}: ${reason}`, code });
  }

  private say(contract: ContractRecord, output: ContractOutput, state: string, detail: string): void {
    this.reporter.report({ event: 'refund', outpoint: `${contract.txid}:${output.vout}`, state, detail });
  }
}

function wasUsed({ state, outputs }: ContractRecord): boolean {
  return state === 'broadcast' && outputs.some(({ payments }) => payments > 0);
}

function withRefund(output: ContractOutput, attempt: RefundAttempt): ContractOutput {
  return { ...output, refundTxid: attempt.txid, refunds: [...output.refunds, attempt] };
}

function withoutRefund(output: ContractOutput, attempt: RefundAttempt): ContractOutput {
  const refunds = output.refunds.filter(({ txid }) => txid !== attempt.txid);
  return { ...output, refundTxid: refunds.at(-1)?.txid ?? null, refunds };
}
