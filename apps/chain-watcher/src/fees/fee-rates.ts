import { succeed, type BitcoinNode, type NodeResult } from '@seedfleet/bitcoin-node';
import { FALLBACK_FEE_SAT_PER_KVB, FEE_SAMPLES } from '../defaults.js';
import { SlidingMedian } from './day-median.js';

const DAY_MS = 24 * 3_600_000;

/** Fee rates in satoshi per 1,000 virtual bytes. */
export interface FeeRates {
  readonly threeBlocksSatPerKvb: bigint;
  readonly sixBlocksSatPerKvb: bigint;
  /** Of the last 24 hours, or of the time since this process started if that is less. */
  readonly sixBlocksDayMedianSatPerKvb: bigint;
  /** 25th percentile over the same time. */
  readonly sixBlocksDayQuarterSatPerKvb: bigint;
  readonly mempoolMinimumSatPerKvb: bigint;
  readonly relayMinimumSatPerKvb: bigint;
}

/** Reads the node's fee estimates and keeps the last ones, with their median over a day. */
export class FeeWatch {
  readonly #day = new SlidingMedian(DAY_MS, FEE_SAMPLES);
  #rates: FeeRates = {
    threeBlocksSatPerKvb: FALLBACK_FEE_SAT_PER_KVB,
    sixBlocksSatPerKvb: FALLBACK_FEE_SAT_PER_KVB,
    sixBlocksDayMedianSatPerKvb: FALLBACK_FEE_SAT_PER_KVB,
    sixBlocksDayQuarterSatPerKvb: FALLBACK_FEE_SAT_PER_KVB,
    mempoolMinimumSatPerKvb: FALLBACK_FEE_SAT_PER_KVB,
    relayMinimumSatPerKvb: FALLBACK_FEE_SAT_PER_KVB,
  };

  /** @param source `fixed` asks the node for no estimates: every one counts as missing. */
  constructor(
    private readonly node: BitcoinNode,
    private readonly source: 'node' | 'fixed' = 'node',
  ) {}

  get rates(): FeeRates {
    return this.#rates;
  }

  /** Asks the node; on failure the last rates stay. A missing estimate counts as 1 sat/vB. */
  async refresh(nowMs: number): Promise<NodeResult<FeeRates>> {
    const three = await this.estimate(3);
    if (!three.ok) return three;
    const six = await this.estimate(6);
    if (!six.ok) return six;
    const mempool = await this.node.mempoolInfo();
    if (!mempool.ok) return mempool;
    const sixBlocksSatPerKvb = six.value ?? FALLBACK_FEE_SAT_PER_KVB;
    this.#day.add(sixBlocksSatPerKvb, nowMs);
    this.#rates = {
      threeBlocksSatPerKvb: three.value ?? FALLBACK_FEE_SAT_PER_KVB,
      sixBlocksSatPerKvb,
      sixBlocksDayMedianSatPerKvb: this.#day.median() ?? sixBlocksSatPerKvb,
      sixBlocksDayQuarterSatPerKvb: this.#day.quantile(1, 4) ?? sixBlocksSatPerKvb,
      mempoolMinimumSatPerKvb: mempool.value.minFeeSatPerKvb,
      relayMinimumSatPerKvb: mempool.value.minRelayFeeSatPerKvb,
    };
    return succeed(this.#rates);
  }

  private estimate(targetBlocks: number): Promise<NodeResult<bigint | null>> {
    return this.source === 'node' ? this.node.feeEstimate(targetBlocks) : Promise.resolve(succeed(null));
  }
}
