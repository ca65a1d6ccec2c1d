import { decodeMessage, MESSAGE_ID, type Message, type MessageName } from '@seedfleet/wire';
import { VectorError, hexBytes, type Fields } from '../input/fields.js';
import { isOnCurve } from '../wire/messages.js';

/** One scenario: a script played against the reference, and what the reference did. */
export interface Script {
  readonly name: string;
  /** The side the reference played, and so the side that we play. */
  readonly reference: 'seller' | 'buyer';
  readonly steps: readonly Step[];
  readonly events: readonly Fields[];
  readonly closed: boolean;
  /** The reference's process died. */
  readonly crashed: boolean;
  readonly settlements: readonly Fields[];
}

/** Bytes as far as they were recorded, and how many there were. */
export interface RecordedBytes {
  readonly shown: Uint8Array;
  readonly length: number;
}

export type Step =
  /** The scripted peer wrote bytes to the socket, or did something else to it (no bytes). */
  | { readonly kind: 'send'; readonly what: string; readonly bytes: RecordedBytes | undefined }
  /** It read a JoyStream message. */
  | { readonly kind: 'message'; readonly type: string; readonly id: number; readonly payload: RecordedBytes }
  /** It read the reference's extended handshake. */
  | { readonly kind: 'handshake'; readonly cc: string | undefined; readonly m: Readonly<Record<string, number>> }
  /** It found the connection closed. */
  | { readonly kind: 'closed' }
  /** It noted something after reading, such as how many pieces had come. */
  | { readonly kind: 'marker'; readonly values: readonly unknown[] }
  /** It read something that is no part of the paid protocol. */
  | { readonly kind: 'other' };

/** No scripted peer sends frames beyond this; it bounds what a truncated recording may make us allocate. */
const MAX_RECORDED_BYTES = 64 * 1024 * 1024;

export const readScript = (vector: Fields): Script => {
  const reference = vector.text('reference');
  if (reference !== 'seller' && reference !== 'buyer') throw new VectorError(`reference ${reference} is no side`);
  return {
    name: vector.textOr('name', vector.path),
    reference,
    steps: vector.list('steps').map(readStep),
    events: vector.list('events'),
    closed: vector.flagOr('connectionClosedByReference', false),
    crashed: vector.flagOr('crashed', false),
    settlements: vector.list('settlements'),
  };
};

const readStep = (step: Fields): Step => {
  if (step.has('send')) {
    const bytes = step.has('hex') ? recordedFrame(step.text('hex'), step.path) : undefined;
    return { kind: 'send', what: step.text('send'), bytes };
  }
  if (!step.has('recv')) return { kind: 'marker', values: step.keys.map((key) => step.raw(key)) };
  const what = step.text('recv');
  if (/closed/i.test(what)) return { kind: 'closed' };
  if (what === 'ext_handshake') return readHandshake(step);
  if (!what.startsWith('js_') || !step.has('payload')) return { kind: 'other' };
  const payload = recordedBytes(step.text('payload'), step.path);
  return { kind: 'message', type: what.slice(3), id: step.number('id'), payload };
};

const readHandshake = (step: Fields): Step => {
  const m: Record<string, number> = {};
  if (step.has('m')) {
    const ids = step.fields('m');
    for (const key of ids.keys) if (typeof ids.raw(key) === 'number') m[key] = ids.number(key);
  }
  return { kind: 'handshake', cc: step.has('cc') ? step.text('cc') : undefined, m };
};

/** `HEX`, or `HEX..(N)` for N bytes of which only a prefix is shown. */
export const recordedBytes = (text: string, path: string): RecordedBytes => {
  const [hex = '', rest] = text.split('..');
  const shown = hexBytes(hex, path);
  const length = rest === undefined ? shown.length : Number(/^\(([0-9]+)\)$/.exec(rest)?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(length) || length < shown.length || length > MAX_RECORDED_BYTES) {
    throw new VectorError(`${path}: length of shortened bytes is not given`);
  }
  return { shown, length };
};

/** A sent frame; a shortened one without a count is as long as its own length prefix says. */
const recordedFrame = (text: string, path: string): RecordedBytes => {
  if (!text.endsWith('..')) return recordedBytes(text, path);
  const shown = hexBytes(text.slice(0, -2), path);
  const length = 4 + new DataView(shown.buffer, shown.byteOffset).getUint32(0);
  if (length < shown.length || length > MAX_RECORDED_BYTES) throw new VectorError(`${path}: length makes no sense`);
  return { shown, length };
};

/** All messages of one type that the script read in full. */
export const readMessages = <T extends MessageName>(script: Script, type: T): Extract<Message, { type: T }>[] =>
  script.steps.flatMap((step) => {
    if (step.kind !== 'message' || step.type !== type || step.payload.shown.length < step.payload.length) return [];
    const decoded = decodeMessage(MESSAGE_ID[type], step.payload.shown, isOnCurve);
    return decoded.ok && decoded.message.type === type ? [decoded.message as Extract<Message, { type: T }>] : [];
  });

/** The reference's own log, by the name of the event. */
export const eventsNamed = (script: Script, name: string): Fields[] =>
  script.events.filter((event) => event.has('event') && event.text('event') === name);

/** The bytes with zeros where they were not recorded. */
export const filled = ({ shown, length }: RecordedBytes): Uint8Array => {
  if (length === shown.length) return shown;
  const bytes = new Uint8Array(length);
  bytes.set(shown);
  return bytes;
};
