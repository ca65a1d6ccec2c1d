import { bestEcdsa, concatBytes } from '@seedfleet/payment-channel';
import {
  decodeMessage,
  encodeFrame,
  encodePayload,
  MESSAGE_ID,
  MESSAGE_NAMES,
  type Message,
  type MessageIds,
  type MessageName,
} from '@seedfleet/wire';
import { Differences } from '../compare.js';
import { VectorError, type Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import { compareFields } from './message-fields.js';

const ecdsa = bestEcdsa();

export const isOnCurve = (publicKey: Uint8Array): boolean => ecdsa.isPoint(publicKey);

export const messageName = (name: string): MessageName => {
  const found = MESSAGE_NAMES.find((known) => known === name);
  if (found === undefined) throw new VectorError(`${name} is no message`);
  return found;
};

const frameBytes = (message: Message, ids: MessageIds): Uint8Array => {
  const { header, body } = encodeFrame(message, ids);
  return body === undefined ? header : concatBytes(header, body);
};

/** `messages.NAME[]`: decoding gives the fields, encoding gives the payload and each of the frames. */
export const runMessages = (content: Fields, report: Report, file: string): void => {
  if (!content.has('messages')) return;
  const messages = content.fields('messages');
  for (const key of messages.keys) {
    messages.list(key).forEach((vector, at) => {
      const note = vector.textOr('note', '');
      report.run(`${file} messages.${key}[${at}]${note === '' ? '' : ` ${note}`}`, () => compareMessage(key, vector));
    });
  }
};

const compareMessage = (key: string, vector: Fields): string[] => {
  const name = messageName(key);
  const payload = vector.bytes('payload');
  const decoded = decodeMessage(MESSAGE_ID[name], payload, isOnCurve);
  const accepts = vector.textOr('referenceReader', 'accepts') === 'accepts';
  if (!decoded.ok)
    return accepts ? [`the reference reads it, we refuse: ${decoded.code} (${decoded.field ?? ''})`] : [];
  if (!accepts) return ['the reference refuses it, we read it'];
  const diff = new Differences();
  compareFields(diff, decoded.message, vector.fields('fields'));
  diff.same('surplus bytes', 0, decoded.trailingBytes);
  diff.same('payload', payload, encodePayload(decoded.message));
  for (const frame of vector.list('frames')) {
    const id = frame.number('extendedId');
    diff.same(`frame for id ${id}`, frame.bytes('frame'), frameBytes(decoded.message, { ...MESSAGE_ID, [name]: id }));
  }
  return diff.found;
};

/** `malformed[]`: a payload is read exactly when the reference reads it, to the same fields. */
export const runMalformed = (content: Fields, report: Report, file: string): void => {
  content.list('malformed').forEach((vector, at) => {
    const name = `${file} malformed[${at}] ${vector.textOr('message', '?')}: ${vector.textOr('description', '')}`;
    report.run(name, () => compareMalformed(vector));
  });
};

const compareMalformed = (vector: Fields): string[] => {
  const name = messageName(vector.text('message'));
  const decoded = decodeMessage(MESSAGE_ID[name], vector.bytes('payload'), isOnCurve);
  const diff = new Differences();
  diff.same('verdict', vector.text('verdict'), decoded.ok ? 'accepts' : 'throws');
  if (decoded.ok && vector.has('decodedFields')) compareFields(diff, decoded.message, vector.fields('decodedFields'));
  return diff.found;
};
