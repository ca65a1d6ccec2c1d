import type { Network } from '@seedfleet/payment-channel';
import { signingRule } from '@seedfleet/payment-channel';
import { DEFAULT_POLICY } from './defaults.js';

/** The policy of a deployment: the defaults, with what its operator changed. */
export type Policy = DeepReadonly<typeof DEFAULT_POLICY>;

/** Some values of a policy. Lists are replaced whole. */
export type PolicyOverrides = DeepPartial<Policy>;

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;
type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> }
    : T;

export type ZeroConfPolicy = Policy['zeroConf']['bitcoin'];

/** The defaults with overrides laid over them. Throws RangeError for a name that does not exist or a value of another type. */
export function policyWith(overrides: PolicyOverrides = {}): Policy {
  return merge(DEFAULT_POLICY, overrides) as Policy;
}

/** Which zero-conf figures hold on a network. */
export function zeroConfFor(policy: Policy, network: Network): ZeroConfPolicy {
  return signingRule(network) === 'legacy' ? policy.zeroConf.bitcoin : policy.zeroConf.bitcoinCash;
}

/**
 * Whether a transaction's fee can be raised afterwards by a child that spends it. Not on the Bitcoin Cash chains: nodes take no
 * packages, replace nothing, and miners choose each transaction by its own fee.
 */
export function childrenHelp(network: Network): boolean {
  return signingRule(network) === 'legacy';
}

const REPLACEABLE: readonly string[] = ['as-signalled', 'always', 'never'];

/**
 * What is wrong with a policy, as sentences for the operator; empty where nothing is. Services check this at start:
 * a number that is negative, or a lock that leaves no time to settle, would otherwise show up as lost money.
 */
export function policyFaults(policy: Policy): readonly string[] {
  const faults = [...negatives(policy, '')];
  const { lock, settlementMargin, window, belowMin, confirmations } = policy;
  if (lock.minUnits > lock.maxUnits || lock.maxUnits > 0xffff)
    faults.push('lock: minUnits ≤ maxUnits ≤ 65535 must hold');
  if (lock.unknownBuyerUnits < lock.minUnits) faults.push('lock: unknownBuyerUnits is below minUnits');
  const longestMarginSeconds =
    Math.max(settlementMargin.baseSeconds, settlementMargin.valuableSeconds) + settlementMargin.underpaidExtraSeconds;
  if (longestMarginSeconds >= lock.minUnits * 512)
    faults.push('settlementMargin: leaves no time to serve before the lock ends');
  if (window.startPieces < 1 || window.paymentsPerStep < 1 || window.maxPieces < window.startPieces) {
    faults.push('window: 1 ≤ startPieces ≤ maxPieces and 1 ≤ paymentsPerStep must hold');
  }
  const { zeroConf } = policy;
  for (const { replaceable } of [zeroConf.bitcoin, zeroConf.bitcoinCash]) {
    if (!REPLACEABLE.includes(replaceable)) faults.push('zeroConf: unknown choice of replaceable');
  }
  if (zeroConf.afterConflict !== 'confirmation' && zeroConf.afterConflict !== 'quiet') {
    faults.push('zeroConf: unknown choice of afterConflict');
  }
  if (belowMin !== 'return-change' && belowMin !== 'leave-to-refund') faults.push('belowMin: unknown choice');
  const limits = confirmations.tiers.map(({ upToSat }) => upToSat);
  if (limits.some((limit, i) => i > 0 && limit <= (limits[i - 1] ?? 0n)))
    faults.push('confirmations: tiers must ascend');
  return faults;
}

function merge(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isRecord(base) || !isRecord(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    if (!(name in base)) throw new RangeError(`unknown policy value ${name}`);
    const own = base[name];
    // Null stands for "no limit", so it may replace a value and be replaced by one.
    if (own !== null && value !== null && value !== undefined && typeof own !== typeof value) {
      throw new RangeError(`policy value ${name} must be a ${typeof own}`);
    }
    merged[name] = merge(own, value);
  }
  return merged;
}

function* negatives(value: unknown, path: string): Generator<string> {
  if (typeof value === 'number' && !(value >= 0)) yield `${path}: must not be negative`;
  if (typeof value === 'bigint' && value < 0n) yield `${path}: must not be negative`;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, child] of Object.entries(value)) yield* negatives(child, path ? `${path}.${name}` : name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
