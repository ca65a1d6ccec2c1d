import { BuyerError, ExitCode } from '../failure.js';
import { expectAnswer, type NodeLink } from './node-link.js';

/** What nodes relay at all: 1 sat per virtual byte. */
export const LEAST_RATE_PER_KB_SAT = 1_000n;

/**
 * The node's estimate for so many blocks, at least what its mempool takes now. Satoshi per 1,000 virtual bytes.
 */
export async function estimatedRate(link: NodeLink, targetBlocks: number): Promise<bigint> {
  const { minFeeSatPerKvb } = expectAnswer(await link.node.mempoolInfo());
  const estimate = expectAnswer(await link.node.feeEstimate(targetBlocks)) ?? 0n;
  return larger(larger(estimate, minFeeSatPerKvb), LEAST_RATE_PER_KB_SAT);
}

/** For a deposit: the estimate, at least what the sellers ask, as far as the buyer's limit allows. */
export async function depositRate(link: NodeLink, sellersSatPerKb: bigint, maxFeePerKbSat: bigint): Promise<bigint> {
  const { minFeeSatPerKvb } = expectAnswer(await link.node.mempoolInfo());
  if (minFeeSatPerKvb > maxFeePerKbSat) {
    throw new BuyerError(
      ExitCode.coins,
      'fee-limit-too-low',
      `the mempool takes ${minFeeSatPerKvb} sat per 1,000 bytes and more; --max-fee-per-kb is ${maxFeePerKbSat}`,
    );
  }
  const estimate = expectAnswer(await link.node.feeEstimate(3)) ?? 0n;
  const wanted = larger(estimate, larger(sellersSatPerKb, minFeeSatPerKvb));
  return wanted < maxFeePerKbSat ? wanted : maxFeePerKbSat;
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
