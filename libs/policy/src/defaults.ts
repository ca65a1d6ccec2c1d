/**
 * Every number of the fleet's policy, with its unit and its reason. Figures without a source are judgement, to be
 * replaced by measurement. All are configurable: a deployment overrides what it wants with `policyFor`, once, at start.
 * Sizes are bytes, amounts satoshi (bigint), rates satoshi per 1000 virtual bytes, spans milliseconds of wall clock
 * unless the name says that they are seconds of median time past.
 */

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Zero-conf where every unconfirmed transaction can be replaced. What is at risk is bandwidth and content, not price. */
const ZERO_CONF_ON_BITCOIN = {
  /** 32 MiB starts a film. */
  maxBytesPerChannel: 32 * MIB,
  /** Per mille of the pieces: 2 %. At least one piece is always allowed, or no sale could start. */
  maxPiecesPerMille: 20,
  /** Value of the unpaid or unconfirmed pieces; null: no limit, as bytes limit it already. */
  maxValueSat: null as bigint | null,
  /** Time an unconfirmed funding must have been seen before it is served. */
  minAgeMs: 0,
  /**
   * Which unconfirmed fundings count as replaceable, and are not served before a block: those that say so (BIP 125), all,
   * or none. All of them can be replaced, and the allowance is what that may cost; who says so means to, or may.
   */
  replaceable: 'as-signalled' as 'as-signalled' | 'always' | 'never',
};

/** First-seen is honoured on the Bitcoin Cash chains, so more is served, after a moment to see a double spend. */
const ZERO_CONF_ON_BITCOIN_CASH: typeof ZERO_CONF_ON_BITCOIN = {
  maxBytesPerChannel: 256 * MIB,
  maxPiecesPerMille: 200,
  maxValueSat: 20_000n,
  minAgeMs: 5 * SECOND_MS,
  /** Nothing is replaced there, whatever the sequence says. */
  replaceable: 'never',
};

export const DEFAULT_POLICY = {
  /** Pieces of torrents that the fleet makes itself. */
  making: {
    /** Fine enough that one unpaid piece is a thousandth of the sale and 2 % of zero-conf are 20 of them. */
    pieces: 1024,
    /** BitTorrent's block: smaller pieces only add messages. */
    minPieceLengthBytes: 16 * 1024,
    /** Four pieces are the 32 MiB of the window; above it the window shrinks to fewer pieces. */
    maxPieceLengthBytes: 8 * MIB,
    /** Above this, larger pieces after all: a .torrent file of 2 MB is enough for nodes and buyers to carry around. */
    maxPieces: 100_000,
    /** No larger piece is taken by default clients without trouble. */
    hardMaxPieceLengthBytes: 64 * MIB,
  },

  /** Serving before the funding transaction has a confirmation. */
  zeroConf: {
    bitcoin: ZERO_CONF_ON_BITCOIN,
    bitcoinCash: ZERO_CONF_ON_BITCOIN_CASH,
    /**
     * A funding that had a rival is served again when it is in a block, or `quiet`: when it is back in the mempool and no
     * rival was seen for so long. Whoever has tried to take a funding back will try again.
     */
    afterConflict: 'confirmation' as 'confirmation' | 'quiet',
    conflictQuietMs: 3 * SECOND_MS,
    /** Ancestors still unconfirmed: none, as each can be replaced and takes the funding with it. */
    maxUnconfirmedAncestors: 0,
    /** Per /24 or /48 and day. With the next figure, stealing a title takes more than 20 subnets. */
    maxBytesPerSubnetDay: 64 * MIB,
    /** Per mille of a torrent's pieces, per subnet: 5 %. */
    maxPiecesPerSubnetPerMille: 50,
    /** Sum over one node's unconfirmed channels. */
    maxBytesPerNode: 2 * GIB,
    /** Sum over the fleet's unconfirmed channels. */
    maxBytesPerFleet: 20 * GIB,
  },

  /** Confirmations before everything is served: value against the cost of a reorganisation. Ascending; last is open. */
  confirmations: {
    tiers: [
      { upToSat: 250_000n, confirmations: 1 },
      { upToSat: 1_000_000n, confirmations: 2 },
    ],
    above: 3,
  },

  /** When a settlement counts as final. */
  burial: {
    /** Revenue is final at this many confirmations. */
    finalConfirmations: 6,
    /** Until here the channel is watched; then it is archived. */
    archiveConfirmations: 144,
  },

  /** Pieces delivered and not yet durably paid. */
  window: {
    startPieces: 1,
    /** Durable payments per step of one piece. */
    paymentsPerStep: 4,
    /** A reference buyer has at most four requests open, so more is useless. */
    maxPieces: 4,
    /** Never beyond, except that one piece is always allowed. */
    maxBytes: 32 * MIB,
  },

  /** Requests received and not yet answered, per connection; a peer that exceeds it is closed. Never beyond kCap. */
  maxQueuedRequests: 16,

  /** Bytes delivered and not yet paid, over all channels of the same origin. */
  unpaidInFlight: {
    maxBytesPerAddress: 64 * MIB,
    maxBytesPerSubnet: 256 * MIB,
    maxBytesPerNode: 1 * GIB,
  },

  /** The channel's relative lock, in units of 512 s. */
  lock: {
    /** Default buyers accept at most 20, and 20 leave about 80 minutes of service. */
    minUnits: 20,
    /** About 20 hours: longer only keeps deposits locked. */
    maxUnits: 144,
    /** Where `sell` must go before the peer's `buy` is known: the most that a default buyer accepts. */
    unknownBuyerUnits: 20,
  },

  /** How long `sell` is held for the peer's `buy`, so that terms can fit it. Compatible: the wire has no order for it. */
  holdSellMs: 2 * SECOND_MS,

  /** Distance between the last moment to settle and the maturing of the refund, seconds of median time past. */
  settlementMargin: {
    /** Simulated: 60 minutes leave two safe blocks or fewer in 6 % of channels, 90 minutes in 0.6 %. */
    baseSeconds: 5_400,
    /** For more valuable channels. */
    valuableSeconds: 7_200,
    /** Net above which a channel is valuable. */
    valuableNetSat: 20_000n,
    /** Added where the estimate for six blocks exceeds the frozen settlement fee: it may take longer to be mined. */
    underpaidExtraSeconds: 1_800,
  },

  /** The settlement fee F, frozen when the channel is offered: both signatures cover it. Buyers never compare it. */
  settlementFee: {
    /** Safety factor over the estimate, per cent: 1.25. */
    factorPercent: 125n,
    /** A settlement's size with its seller output. */
    settlementVbytes: 347n,
    /** Below this the settlement would not be relayed. */
    minSat: 347n,
    /** Where the node has no estimate (regtest): 1 sat/vB, so F = 434. */
    noEstimateSatPerKvb: 1_000n,
  },

  /** Size of what is spent to sweep one settlement output into the treasury. */
  sweepInputVbytes: 148n,

  /** When a quote is replaced. Quotes are recomputed on every block. */
  requote: {
    /** Idle peers get a new `sell` when F has moved by this many per cent. */
    idleMovePercent: 20n,
    /** Peers that joined but have not funded are closed when F has risen to this many per cent of theirs. */
    joinedClosePercent: 150n,
    /** Or when they have waited this long. */
    joinedMaxAgeMs: 6 * HOUR_MS,
  },

  /** What a channel must promise before we join it. The value is unknown then, so all N pieces are assumed. */
  joinGate: {
    /** Settlement fee and sweep, per cent of N·P. */
    maxFeeSharePercent: 25n,
    /** kMin at latest after this fraction of the pieces, rounded up: N ÷ 5. */
    kMinAtLatestDivisor: 5,
    /** Net of the settlement fee. */
    minNetSat: 1_000n,
  },

  /** At `ready` the funding exists, and only one that can't reach kMin plus this many payments is refused. */
  readyGate: { marginPayments: 0 },

  /** How a price comes about. */
  price: {
    /** Rate of default buyers and sellers, satoshi per MB of 2^20 bytes. */
    defaultSatPerMb: 2n,
    /** The settlement fee that default clients put into the price formula, whatever ours is. */
    formulaSettlementFeeSat: 450n,
  },

  /** Bids, or buyers at one step of a sale, that must have been seen before anything is concluded from them. */
  advice: { minBids: 10n },

  /** Other terms of `sell` where the offer does not say. */
  terms: {
    /** Sellers in one funding transaction; default sellers say five. */
    maxSellers: 5,
    /**
     * Fee rate the funding transaction must pay: the most that default buyers accept. Their library counts 1,024 bytes to
     * the kB, so 1,024 is 1 sat per byte there, and less would not be relayed.
     */
    minContractFeePerKbSat: 1_024n,
    /** How far below the terms a funding may pay, in thousandths: a kB of 1,024 bytes is 24 of them, rounding the rest. */
    contractFeeTolerancePerMille: 30n,
  },

  /** Channels that end below kMin: settle so that the buyer gets its change back, where that is relayed. */
  belowMin: 'return-change' as 'return-change' | 'leave-to-refund',

  /** Size and relay minimum that `return-change` needs: k·P is then the whole fee. */
  returnChange: { settlementVbytes: 313n, minRelaySatPerKvb: 1_000n },

  /** A child that pays for a late settlement. Output 0 is the buyer's and can be used for pinning, so ours goes first. */
  child: {
    /** Blocks left before the refund matures, below which a child goes along. */
    safeBlocks: 12,
    /** Per cent of net that fees may take. */
    budgetPercent: 50n,
    /** … in the last blocks, where losing all is the alternative. */
    lastBudgetPercent: 80n,
    lastBlocks: 3,
    /** Sizes that its fee is reckoned from: one input and one output of P2PKH, and one input more. */
    virtualBytes: 192n,
    coinVirtualBytes: 148n,
    /** While few blocks are left, each one without the settlement in it raises the rate by a quarter at least. */
    risePercent: 125n,
    /** What a replacement must pay more than what it replaces, per 1000 of its own virtual bytes (BIP 125, rule 4). */
    replacementSatPerKvb: 1_000n,
    /** Least value of an output: below it nothing is relayed. */
    dustSat: 546n,
    /** Confirmed treasury coins that may be added, and the stock below which somebody is told. */
    treasuryCoinSat: 20_000n,
    minTreasuryCoins: 20,
  },

  /** Settlements signed while the sale runs, filed as dated broadcast orders: bounds what a dead service can lose. */
  checkpoint: {
    everyNetSat: 2_000n,
    everyMs: 60 * SECOND_MS,
    /** How long the tower's acknowledgement is awaited while its time is far: it answers within a second when it can. */
    awaitTowerMs: 60 * SECOND_MS,
  },

  /** What a signer in a process of its own signs at most, whoever asks: a settler that was broken into is slow at harm. */
  signer: {
    /** Checkpoints of 2,000 channels at one per minute, and as many again for their ends. */
    settlementsPerMinute: 4_000,
    /** A child per channel and block would be far fewer. */
    childrenPerMinute: 200,
    /** Sweeps and splits: the settler looks once a minute. */
    treasuryPerHour: 60,
    /** Public keys and hashes of addresses: a pool of 500 keys, and a batch of 1,000 addresses, at once. */
    lookupsPerMinute: 6_000,
    /**
     * Fees of children and, apart from them, of sweeps and splits: the hot balance's cap. A break-in burns no more within a day than
     * may lie there anyway; a day of 2,000 sales has a sweep of 500 coins at 13 satoshi per virtual byte, or 100 children at 50.
     */
    feeSatPerDay: 1_000_000n,
    /** Longer than the longest lock: then the refunds of all that was signed before a log was put back are mature. */
    unsureForMs: DAY_MS,
    /** 12 MB, which a start reads in half a second; days of a fleet of 2,000 sales. */
    segmentLines: 20_000,
    /**
     * A key that has signed and then nothing for so long never signs again. The longest lock is over within a day of its funding;
     * this is also for fundings that nobody mines for weeks, and for backups that old.
     */
    keptForMs: 30 * DAY_MS,
  },

  /** Beyond these a node sends no new piece: a blind fleet must not serve past deadlines. */
  nodeLease: { maxWatermarkAgeMs: 30 * SECOND_MS, maxChainReportAgeMs: 10 * MINUTE_MS },

  /** Money that the fleet holds itself. */
  treasury: {
    /** Sweep at this many outputs, when the fee rate is in the lowest part of the last 24 hours. */
    sweepAtOutputs: 100,
    sweepAtPercentile24h: 25,
    /** Hot balance: the larger of this and one day's revenue. Above it the fee rate is not waited for. */
    maxHotSat: 1_000_000n,
    /** Or when the oldest output has waited this long: a small fleet's earnings reach its operator too. */
    maxAgeMs: 7 * DAY_MS,
    /** Most inputs of one sweep: about 74,000 virtual bytes, below the 100,000 that are relayed. */
    maxInputs: 500,
    /** Per cent of the coins that the fee of a sweep or split may take; the signer holds to it too. */
    maxFeePercent: 10n,
    /** A transaction without inputs; an output of P2PKH. The largest output of common kinds is 43 bytes. */
    baseVbytes: 10n,
    outputVbytes: 34n,
    destinationVbytes: 43n,
  },

  /** Speed tests cost bandwidth before any money moves. Answered only where the peer's `buy` fits. */
  speedTest: {
    maxBytes: 2_000_000,
    maxPerConnection: 1,
    maxPerAddressHour: 2,
    maxPerSubnetHour: 20,
    /** Per cent of the node's bandwidth, with a burst. */
    bandwidthPercent: 1,
    burstBytes: 50_000_000,
  },

  /** Joins waiting for their funding, and how often an origin may abandon a channel. */
  joins: {
    maxWaitingPerAddress: 4,
    maxWaitingPerSubnet: 64,
    maxWaitingPerNode: 2_000,
    /** Channels per subnet and torrent until kMin is passed; outputs of one funding transaction count as one. */
    maxBelowMinPerSubnetTorrent: 1,
    /** Channels abandoned below kMin per /24 and day; from then on that subnet gets no zero-conf. */
    maxAbandonedPerSubnetDay: 2,
  },

  /** Connections, whether or not they have finished their handshake. */
  connections: {
    /** A client keeps one per torrent; an address with more torrents than this from one node is no buyer. */
    maxPerAddress: 32,
    /** Several customers behind one provider's range. */
    maxPerSubnet: 128,
    /** Unfinished handshakes: an honest one takes two round trips, so more than a few at once is a flood. */
    maxHandshakesPerAddress: 8,
    maxHandshakesPerSubnet: 32,
    maxHandshakesPerNode: 256,
    /** A peer that takes no byte of what waits for it for so long, and a time by its size, does not read. */
    unreadMs: 60 * SECOND_MS,
  },

  /** The info dictionary, given to buyers that come with a magnet link. */
  metadata: {
    /** Of the whole node: 20 buyers a second at the 50 kB of a usual torrent. */
    bytesPerSecond: MIB,
    burstBytes: 16 * MIB,
    /** Copies per connection: one, and again what got lost. */
    copiesPerConnection: 2,
  },

  /** Connecting to peers that discovery found. */
  dialling: {
    /** Connections not yet established: home routers and firewalls take more for a scan. */
    maxHalfOpen: 16,
    /** Dials begun per second. */
    perSecond: 10,
    /** Per cent of the node's connections up to which it dials: the rest is for buyers that come by themselves. */
    maxConnectionsPercent: 60,
    /** Addresses remembered, at about 300 bytes each. */
    maxCandidates: 20_000,
    /** Of one torrent: a swarm has more, but buyers are few, and they look for us too. */
    maxCandidatesPerTorrent: 50,
    /** Pause before an address is dialled again; clients wait as long. Doubles with each failure … */
    retryMs: MINUTE_MS,
    /** … up to here. */
    retryMaxMs: HOUR_MS,
  },

  /**
   * What a source costs without paying, in points that decay. A source is an address, and its subnet with a multiple of
   * the thresholds. Networks that don't match and races cost nothing (hazards H15, H35).
   */
  abuse: {
    /** Short enough that an honest household is forgiven over a meal. */
    halfLifeMs: 10 * MINUTE_MS,
    /** From here connections and joins are slowed down … */
    throttleAtPoints: 100,
    /** … and from here refused, until the score has decayed to the throttle. */
    banAtPoints: 400,
    /** A subnet is many households. */
    subnetFactor: 8,
    /** One connection per so long while throttled, and joins wait as long for their answer. */
    throttledPauseMs: 5 * SECOND_MS,
    /** Sources remembered; those with the fewest points of the oldest are forgotten first. */
    maxSources: 20_000,
    points: {
      /** Every connection costs an accept and a handshake: 400 at once, or 27 a minute for ever, are free of trouble. */
      connection: 0.25,
      /** Bytes that are no handshake, or a torrent that is not here: also what crawlers do. */
      uselessHandshake: 1,
      /** No handshake in time. */
      slowHandshake: 4,
      /** A frame that no client sends. */
      brokenFrame: 20,
      /** A message that no honest buyer sends, such as a payment with a false signature. */
      violation: 40,
      /** A channel was opened, and given up before it was funded. */
      abandonedJoin: 10,
      /** A funding that was refused: it cost a channel and a look at the chain. */
      refusedFunding: 10,
      /** Delivered and never paid. */
      perUnpaidMib: 5,
      /** It did not read what it had asked for. */
      unread: 20,
    },
    /** A payment takes back as many points. */
    pointsPerPayment: 1,
  },

  timeouts: {
    handshakeMs: 10 * SECOND_MS,
    /** From `ready` until our node has the transaction. */
    fundingSeenMs: 120 * SECOND_MS,
    /** Unconfirmed for this long: close, and go on watching. */
    unconfirmedMs: 6 * HOUR_MS,
    watchUnconfirmedMs: 14 * DAY_MS,
    /** Window full and no payment. */
    unpaidMs: 120 * SECOND_MS,
    noRequestMs: 30 * MINUTE_MS,
    /** Acknowledgement of a published payment: warn, hold deliveries, close. */
    publishWarnMs: 2 * SECOND_MS,
    publishHoldMs: 10 * SECOND_MS,
    publishCloseMs: 120 * SECOND_MS,
  },

  /**
   * Batches of payments: the next leaves when the last is acknowledged. While that one is small, few channels are paying, and
   * what they wait for is the acknowledgement: then one more may leave before it.
   */
  paymentBatch: { lingerMs: 5, maxEntries: 2_000, maxBytes: 256 * 1024, maxOnTheirWay: 2, smallEntries: 8 },

  /** The durable payment stream in production, kept long enough to replay into a restored database. */
  paymentStream: { replicas: 3, maxAgeMs: 72 * HOUR_MS, maxDeliveries: 10 },

  /** Before a node stops: no new joins, channels run out or are settled at their deadline. */
  drain: { maxMs: 2 * HOUR_MS, terminationGraceSeconds: 7_500 },

  /** What market-api does with more than it takes on at once (`MAX_REQUESTS`): the public is refused first, operators' writes last. */
  admission: {
    /** Of a thousand requests in work, how many may be strangers' and the public's, so that an operator always finds a place soon. */
    othersPerMille: 500,
    /** Longer, and a person has asked again. */
    maxWaitMs: 2 * SECOND_MS,
  },

  /** How long what is no longer needed is kept. What is still owed work is never removed, however old. */
  retention: {
    /** Channels with their story, after their last step: a quarter's questions. Then what was never paid goes, the rest is archived. */
    hotChannelsMs: 90 * DAY_MS,
    /** As long as keepers of accounts must keep theirs in most countries. Nothing removes books or paid channels yet. */
    booksMs: 3_653 * DAY_MS,
    /** Hours of torrents and nodes in the roll-ups: charts show 17 days of them. Days and totals stay. */
    bookHoursMs: 90 * DAY_MS,
    /** Sent messages: long enough to ask what was told to whom. */
    outboxMs: 7 * DAY_MS,
    /** Contract keys after they were taken, once their channel is over: the number of each key stays used. */
    contractKeysMs: 90 * DAY_MS,
    /** Payments that failed verification: no lock that is sold lasts longer than a day, so by then none is worth anything. */
    parkedPaymentsMs: 90 * DAY_MS,
    /** Peers' addresses in clear, then as a keyed hash, then not at all. Subnets stay: they are the buyers of the reports. */
    addressesMs: 7 * DAY_MS,
    addressHashesMs: 30 * DAY_MS,
    /** Who changed what through the API: as long as the books that it explains. */
    auditMs: 3_653 * DAY_MS,
    /** Events, for readers that come back after a while. */
    eventsMs: 7 * DAY_MS,
    /** First answers to writes with an Idempotency-Key: a client that still repeats by then has a person behind it. */
    repeatableWritesMs: DAY_MS,
    /** Deliveries to webhooks that succeeded or were given up, for operators to look at. */
    deliveriesMs: 30 * DAY_MS,
    /** What buyers wanted, by day: a year, which is as far as advice looks back, and the same season of the year before. */
    demandMs: 400 * DAY_MS,
  },

  /** On regtest many test buyers share this machine, so limits per address and subnet skip 127.0.0.0/8. */
  limitLocalAddresses: false,
};
