/**
 * The accounts of the books. Every satoshi that a buyer signed over is in exactly one account on the positive side, and
 * once more, negative, in `revenue`; so all accounts of a channel add up to 0.
 */
export const ACCOUNTS = [
  /** Paid by the buyer, but not more than the settlement fee and dust: nothing to collect while k stays below kMin. */
  'accrued',
  /** k·P − F of channels whose settlement would pay us and is not on its way: what is still ours to collect. */
  'collectable',
  /** F of what is collectable or broadcast: the miners get it out of our share when the settlement is mined. */
  'settlement-fee-reserved',
  /** k·P − F of settlements that are stored and handed to the chain, not mined. */
  'broadcast',
  /** k·P − F of settlements that are mined and not yet deep enough to be final. */
  'confirmed',
  /** k·P − F of settlements that are final: on our payout keys. */
  'buried',
  /** F of settlements that are mined: spent. */
  'settlement-fee',
  /** k·P of channels that ended below kMin: mining fee of the buyer's change, or back with the buyer. */
  'uncollectable',
  /** k·P that was collectable and went elsewhere: refunded, or its funding never came back. The posting has the reason. */
  'lost',
  /** Mining fees of child transactions that hurry a settlement. */
  'child-fee',
  /** What sweeps brought to the operator's own wallet. */
  'swept',
  /** Mining fees of sweeps, and of transactions that split a coin. */
  'sweep-fee',
  /**
   * Negative: what has left payout keys since it was `confirmed` or `buried`, as child fees, sweeps and their fees. So
   * `confirmed` + `buried` + `spent` is what lies on payout keys now.
   */
  'spent',
  /** Income: −k·P over all verified payments. */
  'revenue',
] as const;

export type Account = (typeof ACCOUNTS)[number];

/** Amounts by account, satoshi. An account that is not in it holds nothing. */
export type Balances = ReadonlyMap<Account, bigint>;
