import { MESSAGE_NAMES, type MessageName } from './messages.js';

/** One BEP 10 extended id per message, each 1–255 and distinct. */
export type MessageIds = Readonly<Record<MessageName, number>>;

/**
 * The ids we announce and decode with, always (wire protocol §4, hazard H1): the reference decodes with the *remote's*
 * table, so only this numbering, which it announces itself, reads the same on both sides.
 */
export const MESSAGE_ID: MessageIds = {
  observe: 60,
  buy: 61,
  sell: 62,
  join_contract: 63,
  joining_contract: 64,
  ready: 65,
  request_full_piece: 66,
  full_piece: 67,
  payment: 68,
  speedTestRequest: 69,
  speedTestPayload: 70,
};

/** Value of the extended handshake's `cc` key (wire protocol §2). Only the part before the dot is compared. */
export const PROTOCOL_VERSION = '4.0';

/** Prefix of the message names inside the handshake's `m` dictionary (wire protocol §2). */
export const MESSAGE_KEY_PREFIX = 'js_';

const FIRST_ID = MESSAGE_ID.observe;

/** The message that one of our own ids names, or undefined for an id outside 60–70. */
export const messageNameOfId = (id: number): MessageName | undefined => MESSAGE_NAMES[id - FIRST_ID];
