import { bestEcdsa, prepareSettlement, verifyBuyerSignature } from '@seedfleet/payment-channel';
import {
  decodeMessage,
  encodePayload,
  MESSAGE_ID,
  MESSAGE_NAMES,
  PROTOCOL_VERSION,
  type MessageName,
} from '@seedfleet/wire';
import { isOnCurve } from '../wire/messages.js';
import { isPieceOf, type Content } from './content.js';
import type { Emission, PlayLog } from './play-log.js';
import type { RecordedBytes, Script, Step } from './script.js';

type SentMessage = Extract<Emission, { kind: 'message' }>;

/** Messages that follow from the peer's own; the others are decisions of our side. */
const AUTOMATIC: ReadonlySet<MessageName> = new Set<MessageName>([
  'full_piece',
  'speedTestPayload',
  'request_full_piece',
  'payment',
  'join_contract',
  'speedTestRequest',
]);

interface Expected {
  readonly type: MessageName;
  readonly step: number;
  readonly id: number;
  readonly payload: RecordedBytes;
}

/**
 * Compares what our side sent with what the script read, as multisets: per type in order, types in any order. The script
 * reads a prefix of what the reference sent, so what ours sent beyond that is no difference if the script can't have
 * read it any more, and one if it was still reading.
 *
 * @param until only steps before this one are compared.
 */
export const compareMessages = (script: Script, log: PlayLog, content: Content, until: number): string[] => {
  const differences: string[] = [];
  const sent = log.emissions.filter((emission): emission is SentMessage => emission.kind === 'message');
  const recorded = script.steps.flatMap((step, at) => (step.kind === 'message' ? [expectedOf(step, at)] : []));
  const matchedStimuli: number[] = [];
  const surplus: SentMessage[] = [];
  for (const type of MESSAGE_NAMES) {
    const ours = sent.filter((message) => message.type === type);
    const wanted = recorded.filter((message) => message.type === type);
    wanted.forEach((expected, position) => {
      const own = ours[position];
      if (own !== undefined) matchedStimuli.push(own.stimulus);
      if (expected.step < until) differences.push(...compareMessage(expected, own, position, log, content));
    });
    surplus.push(...ours.slice(wanted.length).filter((message) => message.stimulus < until));
  }
  const lastMatched = Math.max(-1, ...matchedStimuli);
  const lastRead = lastReadStep(script);
  for (const message of surplus) {
    const couldBeUnread = AUTOMATIC.has(message.type) ? message.stimulus >= lastMatched : message.stimulus > lastRead;
    if (!couldBeUnread)
      differences.push(`js_${message.type} sent at step ${message.stimulus}, which the reference did not send`);
  }
  return [...differences, ...compareHandshakes(script, log, until), ...compareSyncs(script, sent, recorded, until)];
};

/** The last step at which the script got something to read; finding the connection closed is none. */
const lastReadStep = (script: Script): number =>
  script.steps.findLastIndex((step) => step.kind !== 'send' && step.kind !== 'closed');

const expectedOf = (step: Extract<Step, { kind: 'message' }>, at: number): Expected => {
  const type = MESSAGE_NAMES.find((name) => name === step.type);
  if (type === undefined) throw new Error(`the reference sent js_${step.type}, which is no message`);
  return { type, step: at, id: step.id, payload: step.payload };
};

const compareMessage = (
  expected: Expected,
  own: SentMessage | undefined,
  position: number,
  log: PlayLog,
  content: Content,
): string[] => {
  const what = `js_${expected.type} number ${position + 1} (step ${expected.step})`;
  if (own === undefined) return [`${what} was not sent`];
  const differences: string[] = [];
  if (own.stimulus > expected.step) differences.push(`${what} was sent only at step ${own.stimulus}`);
  if (own.id !== expected.id) differences.push(`${what}: expected id ${expected.id}, got ${own.id}`);
  const difference = comparePayload(expected, own, position, log, content);
  if (difference !== undefined) differences.push(`${what}: ${difference}`);
  return differences;
};

const comparePayload = (
  { type, payload }: Expected,
  own: SentMessage,
  position: number,
  log: PlayLog,
  content: Content,
): string | undefined => {
  if (type === 'payment') return comparePayment(payload, own, position + 1, log);
  if (own.piece !== undefined) {
    const piece = { shown: payload.shown.subarray(4), length: payload.length - 4 };
    return isPieceOf(content, own.piece, piece) === false ? `is not piece ${own.piece}, which we sent` : undefined;
  }
  if (own.message === undefined) return 'has no payload of ours';
  const bytes = encodePayload(own.message);
  const shown = bytes.subarray(0, payload.shown.length);
  if (bytes.length === payload.length && Buffer.from(shown).equals(payload.shown)) return undefined;
  return `expected ${hex(payload.shown)} (${payload.length} bytes), got ${hex(shown)} (${bytes.length} bytes)`;
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').slice(0, 200);

/** The reference's nonces are random: both signatures must be the k-th payment of the same channel. */
const comparePayment = (payload: RecordedBytes, own: SentMessage, k: number, log: PlayLog): string | undefined => {
  const decoded = decodeMessage(MESSAGE_ID.payment, payload.shown, isOnCurve);
  if (!decoded.ok || decoded.message.type !== 'payment') return 'recorded payment cannot be read';
  if (own.message?.type !== 'payment' || log.channel === undefined) return 'we have no channel for it';
  const template = prepareSettlement(log.channel);
  for (const [whose, { signature }] of [
    ['recorded', decoded.message],
    ['our', own.message],
  ] as const) {
    const verdict = verifyBuyerSignature(template, k, signature, bestEcdsa());
    if (!verdict.ok) return `${whose} signature is not payment ${k}: ${verdict.code}`;
  }
  return undefined;
};

/** Install and uninstall handshakes, with our version and ids. */
const compareHandshakes = (script: Script, log: PlayLog, until: number): string[] => {
  const differences: string[] = [];
  const sent = log.emissions.filter((emission) => emission.kind === 'handshake');
  const lastRead = lastReadStep(script);
  let position = 0;
  script.steps.forEach((step, at) => {
    if (step.kind !== 'handshake' || at >= until) return;
    const ids = MESSAGE_NAMES.map((name) => step.m[`js_${name}`]);
    // A handshake without the extension is the BitTorrent side's own.
    if (ids.every((id) => id === undefined)) return;
    const own = sent[position];
    position += 1;
    const install = !ids.every((id) => id === 0);
    if (own?.install !== install)
      differences.push(`step ${at}: expected ${install ? 'install' : 'uninstall'} handshake`);
    const wrong = MESSAGE_NAMES.find((name, n) => ids[n] !== (install ? MESSAGE_ID[name] : 0));
    if (wrong !== undefined) differences.push(`step ${at}: the reference announces another id for ${wrong} than we do`);
    if (step.cc !== PROTOCOL_VERSION)
      differences.push(`step ${at}: expected cc ${step.cc}, ours is ${PROTOCOL_VERSION}`);
  });
  for (const own of sent.slice(position)) {
    if (own.stimulus <= lastRead && own.stimulus < until && position > 0) {
      differences.push(`handshake sent at step ${own.stimulus}, which the reference did not send`);
    }
  }
  return differences;
};

/** Notes of the script that show it had waited for messages and had read all there were. */
const compareSyncs = (
  script: Script,
  sent: readonly SentMessage[],
  recorded: readonly Expected[],
  until: number,
): string[] => {
  const differences: string[] = [];
  script.steps.forEach((step, at) => {
    if (step.kind !== 'marker' || at >= until) return;
    for (const type of typesAllRead(script.steps, at, step.values)) {
      const expected = recorded.filter((message) => message.type === type && message.step <= at).length;
      const own = sent.filter((message) => message.type === type && message.stimulus <= at).length;
      if (own > expected)
        differences.push(`step ${at}: the script had read ${expected} js_${type}, we had sent ${own}`);
    }
  });
  return differences;
};

/**
 * Types of which nothing can have been unread at a note: a count of what was read since the script's last frame stands
 * for that type, a zero, a `false` or a table of counts for all types.
 */
const typesAllRead = (steps: readonly Step[], at: number, values: readonly unknown[]): readonly MessageName[] => {
  const since = steps.slice(0, at).findLastIndex((step) => step.kind === 'send');
  const readSince = steps.slice(since + 1, at).flatMap((step) => (step.kind === 'message' ? [step.type] : []));
  const types = new Set<MessageName>();
  for (const value of values) {
    const waited =
      value === false || (value === 0 && readSince.length === 0) || (typeof value === 'object' && value !== null);
    for (const type of MESSAGE_NAMES) {
      const count = readSince.filter((read) => read === type).length;
      if (waited || (count > 0 && value === count)) types.add(type);
    }
  }
  return [...types];
};
