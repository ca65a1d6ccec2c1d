import { MAX_CONTROL_PAYLOAD_BYTES } from '@seedfleet/exchange';
import { kCap, MAX_MONEY_SAT, type RelativeLock } from '@seedfleet/payment-channel';
import { type readExtendedHandshake, type BencodeDictionary, type MessageName } from '@seedfleet/wire';
import { announcedOtherIds, buyerFits, type Facts } from './scenarios/facts.js';

/**
 * Every place where Seedfleet means to differ from the reference. A rule is a condition on what happened, never the name
 * of a case, so that it also covers cases nobody has seen; where its condition does not hold, the reference's behaviour
 * is required.
 */
export interface Rule<Facts> {
  readonly id: string;
  /** The hazard, or the section of the protocol description, that asks for the difference. */
  readonly source: string;
  readonly condition: string;
  readonly reaction: string;
  readonly applies: (facts: Facts) => boolean;
}

/** The first rule whose condition holds. */
export const findRule = <Facts, R extends Rule<Facts>>(rules: readonly R[], facts: Facts): R | undefined =>
  rules.find((rule) => rule.applies(facts));

/** An `m` dictionary that the reference accepts and we do not. */
export interface MappingFacts {
  /** Undefined when the bytes are no strict bencoding. */
  readonly m: BencodeDictionary | undefined;
  readonly bencodeError: string | undefined;
}

const PREFIX_LENGTH = 3;

/** The entries that the reference would take for its own: any three bytes before a message's name. */
const looselyNamed = (m: BencodeDictionary, names: readonly string[]): [key: string, id: bigint][] => {
  const found: [string, bigint][] = [];
  for (const [key, id] of m) {
    if (names.includes(key.slice(PREFIX_LENGTH)) && typeof id === 'bigint') found.push([key, id]);
  }
  return found;
};

export const mappingRules = (names: readonly string[]): readonly Rule<MappingFacts>[] => [
  {
    id: 'mapping-prefix',
    source: 'H37',
    condition: 'a message name in the mapping has another prefix than js_',
    reaction: 'the mapping is not usable',
    applies: ({ m }) => m !== undefined && looselyNamed(m, names).some(([key]) => !key.startsWith('js_')),
  },
  {
    id: 'mapping-repeated-id',
    source: 'H37',
    condition: 'two messages have the same id',
    reaction: 'the mapping is not usable',
    applies: ({ m }) => {
      if (m === undefined) return false;
      const ids = looselyNamed(m, names).map(([, id]) => id);
      return new Set(ids).size < ids.length;
    },
  },
  {
    id: 'mapping-long-id',
    source: 'H37',
    condition: 'an id is above 255, which the reference cuts down to 8 bits',
    reaction: 'the mapping is not usable',
    applies: ({ m }) => m !== undefined && looselyNamed(m, names).some(([, id]) => id > 255n),
  },
  {
    id: 'mapping-repeated-key',
    source: 'H37',
    condition: 'a key occurs twice, of which the reference takes the last',
    reaction: 'the handshake is not a dictionary',
    applies: ({ bencodeError }) => bencodeError === 'bencode-duplicate-key',
  },
];

export const SCRIPT_RULES: readonly Rule<{ readonly lock: RelativeLock }>[] = [
  {
    id: 'block-lock',
    source: 'payment channel §2',
    condition: 'the lock of a redeem script counts blocks, which the protocol never uses',
    reaction: 'the script is read all the same',
    applies: ({ lock }) => lock.units === 'blocks',
  },
];

/** A payment that the reference counts and we do not. */
export interface PaymentFacts {
  readonly k: number;
  readonly priceSat: bigint;
  readonly fundingValueSat: bigint;
}

export const PAYMENT_RULES: readonly Rule<PaymentFacts>[] = [
  {
    id: 'payment-beyond-cap',
    source: 'H22',
    condition: 'the change output of the settlement would be dust, so that no node relays it',
    reaction: 'the payment is not counted',
    applies: ({ k, priceSat, fundingValueSat }) => {
      const cap = kCap(fundingValueSat, priceSat);
      return cap.ok && k > cap.k;
    },
  },
];

/**
 * A difference in a scenario. Up to the moment at which its condition first holds, everything must be as the reference
 * did it; at that moment our side must do what `closes` says; what the reference did afterwards is no measure any more.
 */
export interface ScenarioRule extends Rule<Facts> {
  /** Whether our side closes the connection at this moment or keeps it; undefined where both follow from the rule. */
  readonly closes: boolean | undefined;
}

/** Requests that may wait at a seller of ours. */
const MAX_QUEUED_REQUESTS = 16;

const frameOf = (facts: Facts, ...names: readonly MessageName[]): boolean =>
  facts.happened.kind === 'frame' &&
  facts.happened.message !== undefined &&
  names.includes(facts.happened.message.type);

const localMessage = (facts: Facts, ...names: readonly MessageName[]): boolean =>
  facts.happened.kind === 'local' &&
  facts.happened.message !== undefined &&
  names.includes(facts.happened.message.type);

const handshakeOf = (facts: Facts): ReturnType<typeof readExtendedHandshake> | undefined =>
  facts.happened.kind === 'handshake' ? facts.happened.handshake : undefined;

const extensionKind = (facts: Facts): string | undefined => {
  const handshake = handshakeOf(facts);
  return handshake?.ok === true ? handshake.extension.kind : undefined;
};

export const SCENARIO_RULES: readonly ScenarioRule[] = [
  {
    id: 'reference-died',
    source: 'H9',
    condition: "the input kills the reference's process",
    reaction: 'the connection is closed with a code',
    closes: true,
    applies: ({ crashed, happened }) =>
      crashed &&
      ((happened.kind === 'frame' && happened.name !== undefined && happened.message === undefined) ||
        (happened.kind === 'handshake' && happened.handshake.ok && happened.handshake.extension.kind === 'invalid')),
  },
  {
    id: 'repeated-mapping',
    source: 'H2',
    condition: 'a full mapping arrives while one is installed',
    reaction: 'the newer one counts and the connection is kept',
    closes: false,
    applies: (facts) => facts.peerIds !== undefined && extensionKind(facts) === 'install',
  },
  {
    id: 'later-handshake-without-version',
    source: 'H2',
    condition: 'a handshake without cc arrives while a mapping is installed',
    reaction: 'it is ignored and the connection is kept',
    closes: false,
    applies: (facts) => facts.peerIds !== undefined && extensionKind(facts) === 'none',
  },
  {
    id: 'uninstall-without-mapping',
    source: 'wire protocol §3, note 3',
    condition: 'all eleven ids are zero and no mapping was installed',
    reaction: 'the peer is a plain BitTorrent peer and the connection is kept',
    closes: false,
    applies: (facts) => facts.peerIds === undefined && extensionKind(facts) === 'uninstall',
  },
  {
    id: 'unusable-mapping',
    source: 'H37',
    condition: 'names, ids or form of the mapping are not as they must be',
    reaction: 'the peer is a plain BitTorrent peer and the connection is kept',
    closes: false,
    applies: (facts) => {
      const handshake = handshakeOf(facts);
      if (handshake === undefined) return false;
      if (!handshake.ok) return true;
      const { extension } = handshake;
      // Without `m` at all, and with a wrong version, ours closes as the reference does.
      return extension.kind === 'invalid' && /^mapping-(?!missing)/.test(extension.code);
    },
  },
  {
    id: 'peers-own-id',
    source: 'H1',
    condition: "a frame comes under the peer's own number, which is none of ours",
    reaction: 'it is dropped',
    closes: false,
    applies: (facts) => {
      const { happened, peerIds } = facts;
      return happened.kind === 'frame' && happened.name === undefined && isIdOf(peerIds, happened.id);
    },
  },
  {
    id: 'our-id-from-another-mapping',
    source: 'H1',
    condition: 'a peer that announced other numbers sends under ours, as BEP 10 says',
    reaction: 'it is decoded with our own table',
    closes: false,
    applies: (facts) =>
      facts.happened.kind === 'frame' && facts.happened.message !== undefined && announcedOtherIds(facts),
  },
  {
    id: 'oversized-message',
    source: 'H8',
    condition: `a payload above ${MAX_CONTROL_PAYLOAD_BYTES} bytes that nobody asked for`,
    reaction: 'the connection is closed',
    closes: true,
    applies: (facts) => {
      const { happened, role } = facts;
      if (happened.kind !== 'frame' || happened.name === undefined) return false;
      const mayBeAwaited = happened.name === 'full_piece' || happened.name === 'speedTestPayload';
      return happened.payloadBytes > MAX_CONTROL_PAYLOAD_BYTES && !(role === 'buyer' && mayBeAwaited);
    },
  },
  {
    id: 'unasked-blob',
    source: 'H8',
    condition: 'a blob larger than a piece reaches a buyer that awaits none',
    reaction: 'the connection is closed',
    closes: true,
    applies: (facts) => {
      const { happened, role } = facts;
      if (role !== 'buyer' || happened.kind !== 'frame' || happened.payloadBytes <= facts.pieceLengthBytes)
        return false;
      return happened.name === 'speedTestPayload' || (happened.name === 'full_piece' && facts.channel === undefined);
    },
  },
  {
    id: 'speed-test-unfit',
    source: 'H32',
    condition: "a speed test is asked for while the buyer's terms do not fit ours",
    reaction: 'it is not answered',
    closes: false,
    applies: (facts) =>
      facts.role === 'seller' &&
      facts.buyerTerms !== undefined &&
      frameOf(facts, 'speedTestRequest') &&
      !buyerFits(facts),
  },
  {
    id: 'invitation-unfit',
    source: 'H16',
    condition: 'an invitation comes from a peer whose last buy does not fit our terms',
    reaction: 'it is dropped',
    closes: false,
    applies: (facts) =>
      facts.role === 'seller' && facts.buyerTerms !== undefined && frameOf(facts, 'join_contract') && !buyerFits(facts),
  },
  {
    id: 'terms-frozen',
    source: 'H4, H20',
    condition: 'the reference revises its terms after joining_contract',
    reaction: 'nothing is sent and the join stands',
    closes: false,
    applies: (facts) => facts.role === 'seller' && facts.joined && localMessage(facts, 'sell'),
  },
  {
    id: 'mode-change-while-serving',
    source: 'H5',
    condition: 'the reference takes up another mode on a connection with a funded channel',
    reaction: 'the channel is settled and the connection closed',
    closes: true,
    applies: (facts) =>
      facts.role === 'seller' && facts.channel !== undefined && facts.joined && localMessage(facts, 'observe', 'buy'),
  },
  {
    id: 'funding-unusable',
    source: 'H14, payment channel §8.1',
    condition: 'the announced value is out of range or carries no relayable payment, or both keys are the same',
    reaction: 'the connection is closed before anything is delivered',
    closes: true,
    applies: (facts) => {
      const { channel } = facts;
      if (facts.role !== 'seller' || channel === undefined || !frameOf(facts, 'ready')) return false;
      const inRange = channel.valueSat > 0n && channel.valueSat <= MAX_MONEY_SAT;
      return !inRange || channel.cap === 0 || channel.keysEqual;
    },
  },
  {
    id: 'request-beyond-cap',
    source: 'H14, H22',
    condition: 'a request whose payment could not be settled in a relayable transaction',
    reaction: 'it is ignored',
    closes: false,
    applies: (facts) =>
      facts.role === 'seller' &&
      facts.channel !== undefined &&
      frameOf(facts, 'request_full_piece') &&
      facts.requests > facts.channel.cap,
  },
  {
    id: 'last-payment',
    source: 'H22, payment channel §7',
    condition: 'the last payment that can be settled has come',
    reaction: 'the channel is settled and the connection closed',
    closes: true,
    applies: (facts) =>
      facts.role === 'seller' &&
      facts.channel !== undefined &&
      frameOf(facts, 'payment') &&
      facts.payments >= facts.channel.cap,
  },
  {
    id: 'request-queue-full',
    source: 'H33',
    condition: `more than ${MAX_QUEUED_REQUESTS} requests are open`,
    reaction: 'the connection is closed',
    closes: true,
    applies: (facts) =>
      facts.role === 'seller' &&
      facts.channel !== undefined &&
      frameOf(facts, 'request_full_piece') &&
      facts.requests - facts.payments > MAX_QUEUED_REQUESTS,
  },
  {
    id: 'buyer-stops-at-cap',
    source: 'H22',
    condition: 'the reference asks for a piece whose payment could not be settled in a relayable transaction',
    reaction: 'our buyer does not ask for it, and leaves the seller when pieces are missing',
    closes: undefined,
    applies: (facts) =>
      facts.role === 'buyer' &&
      facts.channel !== undefined &&
      localMessage(facts, 'request_full_piece') &&
      facts.requests > facts.channel.cap,
  },
];

const isIdOf = (ids: Facts['peerIds'], id: number): boolean => ids !== undefined && Object.values(ids).includes(id);
