/** What a node says to a transaction. States, not errors: each asks for a different next step. */
export type BroadcastCode =
  /** New to the node and now in its mempool. */
  | 'accepted'
  /** The node has it in its mempool already. */
  | 'already-in-mempool'
  /** The node has it in a block already. */
  | 'already-in-chain'
  /** An input is unknown or spent in a block: the parent is missing, or a conflicting transaction was mined. */
  | 'missing-inputs'
  /** A mempool transaction spends an input and this one may not or does not pay enough to replace it. */
  | 'conflict'
  /** Below the fee rate that the node relays or its mempool takes now. */
  | 'below-min-fee'
  /** Above the fee limit of the call or of the node. */
  | 'fee-too-high'
  /** A relative or absolute lock has not matured; it may be sent again later. */
  | 'not-final'
  /** Too many unconfirmed ancestors or descendants. */
  | 'long-chain'
  /** An output is too small to be relayed. */
  | 'dust'
  /** Consensus-valid, perhaps, but not of a form that this node relays. */
  | 'not-standard'
  /** A signature or script fails under this node's rules, e.g. a Bitcoin Cash signature on a Bitcoin node. */
  | 'script-rejected'
  /** Breaks a consensus rule other than scripts: it can never be mined. */
  | 'invalid'
  /** The bytes are no transaction. */
  | 'malformed'
  /** A reason that this library does not know; the node's words are in `reason`. */
  | 'unknown-refusal';

export interface BroadcastOutcome {
  readonly code: BroadcastCode;
  /** Id recomputed from the bytes; empty if they are malformed. */
  readonly txid: string;
  /** The node's own words; empty where it accepted. */
  readonly reason: string;
}

/** Outcome for a package, one entry per transaction in the order given. */
export interface PackageOutcome {
  /** True if every transaction is now in the mempool. */
  readonly accepted: boolean;
  /** The node's words about the package as a whole. */
  readonly reason: string;
  readonly transactions: readonly BroadcastOutcome[];
}

/** Outcomes after which the node holds the transaction. */
export const isHeldByNode = (code: BroadcastCode): boolean =>
  code === 'accepted' || code === 'already-in-mempool' || code === 'already-in-chain';

/**
 * Reject reasons of Bitcoin Core (validation.cpp, mempool policy) and BCHN, tested in order. Substrings, because the
 * RPC appends details and versions differ in what they put in front.
 */
const REASONS: ReadonlyArray<readonly [RegExp, BroadcastCode]> = [
  [/txn-already-in-mempool|txn-same-nonwitness-data-in-mempool|already in mempool/i, 'already-in-mempool'],
  [/txn-already-known|already in (block chain|utxo set)/i, 'already-in-chain'],
  [/missing-?inputs|missing inputs|missingorspent/i, 'missing-inputs'],
  [
    /txn-mempool-conflict|insufficient fee|rejecting replacement|replacement|too many potential replacements/i,
    'conflict',
  ],
  [/bip125|spends conflicting transaction/i, 'conflict'],
  [
    /min relay fee not met|mempool min fee not met|mempool full|min fee not met|insufficient priority/i,
    'below-min-fee',
  ],
  [/max-fee-exceeded|fee exceeds maximum|absurdly-high-fee/i, 'fee-too-high'],
  [/non-?final|non-BIP68-final|bad-txns-premature-spend-of-coinbase/i, 'not-final'],
  [/too-long-mempool-chain|too many unconfirmed|too-large-cluster|exceeds (ancestor|descendant)/i, 'long-chain'],
  [/^dust|[^-]dust\b|tx-dust/i, 'dust'],
  [/script-verify-flag/i, 'script-rejected'],
  [/nonstandard/i, 'not-standard'],
  [/^bad-|^tx-size-small|block-validation|txns-/i, 'invalid'],
  [
    /scriptpubkey|scriptsig|bare-multisig|multi-op-return|datacarrier|tx-size|^version|tx-version|parasite|tokens/i,
    'not-standard',
  ],
];

/** RPC error codes that decide alone, without the text. Bitcoin Core src/rpc/protocol.h. */
const RPC_DESERIALIZATION_ERROR = -22;
const RPC_ALREADY_IN_CHAIN = -27;

/** Names a node's refusal from its reject reason and, where it came as an RPC error, its code. */
export function classifyRefusal(reason: string, rpcCode?: number): BroadcastCode {
  if (rpcCode === RPC_DESERIALIZATION_ERROR) return 'malformed';
  const known = REASONS.find(([pattern]) => pattern.test(reason));
  if (known) return known[1];
  return rpcCode === RPC_ALREADY_IN_CHAIN ? 'already-in-chain' : 'unknown-refusal';
}
