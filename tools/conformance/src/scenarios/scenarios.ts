import { isNetwork, type Network } from '@seedfleet/payment-channel';
import type { BuyerTerms, SellerTerms } from '@seedfleet/wire';
import type { TorrentShape } from '@seedfleet/exchange';
import { VectorError, type Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import { SCENARIO_RULES, type ScenarioRule } from '../rules.js';
import { BuyerPlayer, type ReadyMessage } from './buyer-player.js';
import { findContent, isPieceOf, type Content } from './content.js';
import { compareMessages } from './expectations.js';
import type { Facts } from './facts.js';
import { compareOutcome } from './outcome.js';
import { play } from './play.js';
import type { Player, PlayLog } from './play-log.js';
import { eventsNamed, readMessages, readScript, type Script } from './script.js';
import { SellerPlayer } from './seller-player.js';

/** `scenarios[]`: our machine in the reference's role, with the scripted peer on the other side. */
export const runScenarios = (content: Fields, report: Report, file: string, path: string): void => {
  const meta = content.has('meta') ? content.fields('meta') : undefined;
  content.list('scenarios').forEach((vector, at) => {
    report.run(`${file} ${vector.textOr('name', `scenarios[${at}]`)}`, () => runScenario(vector, meta, path, report));
  });
};

const runScenario = (vector: Fields, meta: Fields | undefined, path: string, report: Report): readonly string[] => {
  const script = readScript(vector);
  const setup = { script, meta, network: networkOf(meta), content: contentOf(script, meta, path) };
  const player = script.reference === 'seller' ? newSeller(setup) : newBuyer(setup);
  const facts = play(script, player, setup.content.torrent.pieceLengthBytes);
  const whole = [
    ...compareMessages(script, player.log, setup.content, Infinity),
    ...compareOutcome(script, player.log),
  ];
  if (whole.length === 0) return [];
  return excuse(script, player.log, setup.content, facts, whole, report);
};

/**
 * A difference is excused by a rule whose condition came true: all before that moment must agree, and at that moment our
 * side must do what the rule says. The latest such moment is taken, so that as much as possible is compared.
 */
const excuse = (
  script: Script,
  log: PlayLog,
  content: Content,
  facts: readonly Facts[],
  whole: readonly string[],
  report: Report,
): readonly string[] => {
  const tried: string[] = [];
  for (const moment of [...facts].reverse()) {
    for (const rule of SCENARIO_RULES.filter((candidate) => candidate.applies(moment))) {
      const differences = [
        ...compareMessages(script, log, content, moment.step),
        ...compareReaction(rule, moment, log),
      ];
      if (differences.length === 0) {
        report.useRule(rule.id);
        return [];
      }
      tried.push(...differences.map((difference) => `under rule ${rule.id} at step ${moment.step}: ${difference}`));
    }
  }
  return [...whole, ...tried];
};

const compareReaction = (rule: ScenarioRule, moment: Facts, log: PlayLog): string[] => {
  const closedAt = log.closed?.stimulus;
  if (rule.closes === undefined) return [];
  if (rule.closes)
    return closedAt === moment.step
      ? []
      : [`we should close, but ${closedAt === undefined ? 'did not' : `did at step ${closedAt}`}`];
  return closedAt === undefined || closedAt > moment.step ? [] : [`we should not close (${log.closed?.code ?? ''})`];
};

interface Setup {
  readonly script: Script;
  readonly meta: Fields | undefined;
  readonly network: Network;
  readonly content: Content;
}

const networkOf = (meta: Fields | undefined): Network => {
  const name = meta?.textOr('network', 'regtest') ?? 'regtest';
  if (!isNetwork(name)) throw new VectorError(`network ${name} is not known`);
  return name;
};

const INFO_HASH_AT = 28;

/** The content by the info hash of the script's own handshake; sizes by the file's `meta` where it is not to be found. */
const contentOf = (script: Script, meta: Fields | undefined, path: string): Content => {
  const handshake = script.steps.find((step) => step.kind === 'send' && step.what.startsWith('bt_handshake'));
  const bytes = handshake?.kind === 'send' ? handshake.bytes?.shown : undefined;
  const pieces = meta?.has('pieces') ? meta.number('pieces') : 1;
  const pieceLengthBytes = meta?.has('pieceLength') ? meta.number('pieceLength') : 16_384;
  const totalBytes = meta?.has('size') ? meta.number('size') : pieces * pieceLengthBytes;
  const fallback: TorrentShape = { pieces, pieceLengthBytes, totalBytes };
  return findContent(path, bytes?.subarray(INFO_HASH_AT, INFO_HASH_AT + 20), fallback);
};

const newSeller = ({ script, meta, network, content }: Setup): Player => {
  const recorded = readMessages(script, 'sell').map((message) => message.terms);
  const firstMode = script.steps.find((step) => step.kind === 'message' && ['sell', 'observe'].includes(step.type));
  return new SellerPlayer({
    network,
    torrent: content.torrent,
    quotes: recorded.length > 0 ? recorded : [sellerTermsOf(meta)],
    mode: firstMode?.kind === 'message' && firstMode.type === 'observe' ? 'observe' : 'sell',
    joinsRead: readMessages(script, 'joining_contract').length,
    joins: eventsNamed(script, 'joining').map((event) => ({
      sellerPublicKey: event.bytes('contractPk'),
      sellerKeyHash: event.bytes('finalPkHash'),
    })),
  });
};

const newBuyer = ({ script, meta, network, content }: Setup): Player => {
  const commitments = eventsNamed(script, 'need_contract').flatMap((event) => event.list('commitments'));
  return new BuyerPlayer({
    network,
    torrent: content.torrent,
    terms: readMessages(script, 'buy')[0]?.terms ?? buyerTermsOf(meta),
    speedTestBytes: readMessages(script, 'speedTestRequest')[0]?.size,
    verdicts: eventsNamed(script, 'piece_received').map((event) => event.textOr('sha1', 'ok') === 'ok'),
    isGood: (piece, data) => isPieceOf(content, piece, { shown: data.subarray(0, 16), length: data.length }) ?? false,
    contractKey: (ready) => {
      const wanted = Buffer.from(ready.buyerPublicKey).toString('hex');
      const commitment = commitments.find((candidate) => candidate.text('buyerContractPk').toLowerCase() === wanted);
      return commitment?.bytes('buyerContractSk');
    },
    unreadReady: unreadReady(script),
  });
};

/** The `ready` that a reference buyer sent, by its log, when the script did not read it. */
const unreadReady = (script: Script): ReadyMessage | undefined => {
  const [contract] = eventsNamed(script, 'contract');
  const [needed] = eventsNamed(script, 'need_contract');
  const anchor = contract?.list('anchors')[0];
  const commitment = needed?.list('commitments')[0];
  if (contract === undefined || anchor === undefined || commitment === undefined) return undefined;
  if (script.steps.some((step) => step.kind === 'message' && step.type === 'ready')) return undefined;
  return {
    type: 'ready',
    value: anchor.integer('value'),
    outpoint: { txid: anchor.bytes('txid'), index: anchor.number('index') },
    buyerPublicKey: commitment.bytes('buyerContractPk'),
    buyerKeyHash: contract.bytes('buyerFinalPkHash'),
  };
};

/** Terms of a reference that never came to announce them; what `meta` leaves out is the reference's default. */
const sellerTermsOf = (meta: Fields | undefined): SellerTerms => {
  const terms = meta?.has('sellerTerms') ? meta.fields('sellerTerms') : undefined;
  const integer = (key: string, fallback: bigint): bigint => (terms?.has(key) ? terms.integer(key) : fallback);
  return {
    minPrice: integer('minPrice', 1000n),
    minLock: Number(integer('minLock', 1n)),
    maxSellers: Number(integer('maxSellers', 5n)),
    minContractFeePerKb: integer('minContractFeePerKb', 2000n),
    settlementFee: integer('settlementFee', 500n),
  };
};

const buyerTermsOf = (meta: Fields | undefined): BuyerTerms => {
  const terms = meta?.has('buyerTerms') ? meta.fields('buyerTerms') : undefined;
  const integer = (key: string, fallback: bigint): bigint => (terms?.has(key) ? terms.integer(key) : fallback);
  return {
    maxPrice: integer('maxPrice', 100n),
    maxLock: Number(integer('maxLock', 5n)),
    minNumberOfSellers: Number(integer('minNumberOfSellers', 1n)),
    maxContractFeePerKb: integer('maxContractFeePerKb', 20_000n),
  };
};
