/** Keys, terms and shapes for specs. */

import { bestEcdsa, derSignature } from '@seedfleet/payment-channel';
import { encodeExtendedHandshake, encodePayload, MESSAGE_ID, type Message } from '@seedfleet/wire';

import type { ConnectionConfig, SellerLimits, TorrentShape } from '../config.js';
import { DEFAULT_SELLER_LIMITS } from '../config.js';
import { createConnection, stepConnection } from '../connection/connection.js';
import type { ConnectionState } from '../connection/state.js';
import type { Effect } from '../effects.js';
import type { ConnectionEvent } from '../events.js';

export const ecdsa = bestEcdsa();

/** A private key per number, and what belongs to it. */
export function party(number: number) {
  const privateKey = new Uint8Array(32).fill(1);
  new DataView(privateKey.buffer).setUint32(28, number + 1);
  const publicKey = ecdsa.publicKeyFor(privateKey)!;
  const keyHash = new Uint8Array(20).fill(number % 256);
  const sign = (digest: Uint8Array): Uint8Array => derSignature(ecdsa.sign(digest, privateKey));
  return { privateKey, publicKey, keyHash, sign };
}

export const TORRENT: TorrentShape = { pieces: 10, pieceLengthBytes: 100, totalBytes: 950 };

export const SELLER_TERMS = {
  minContractFeePerKb: 1024n,
  minLock: 20,
  minPrice: 1000n,
  maxSellers: 5,
  settlementFee: 450n,
} as const;

export const BUYER_TERMS = { maxContractFeePerKb: 1024n, maxLock: 20, maxPrice: 1000n, minNumberOfSellers: 1 } as const;

/** Peer id of a client that is not derived from the reference. */
export const STRICT_PEER = { peerId: new TextEncoder().encode('-XX0001-abcdefghijkl') };

export const INSTALL = encodeExtendedHandshake({ kind: 'install' });
export const UNINSTALL = encodeExtendedHandshake({ kind: 'uninstall' });

export function connectionConfig(
  limits: Partial<SellerLimits> = {},
  torrent: TorrentShape = TORRENT,
): ConnectionConfig {
  const seller = { ...DEFAULT_SELLER_LIMITS, ...limits };
  return { network: 'regtest', torrent, peer: STRICT_PEER, ecdsa, seller };
}

/** A connection under test: events in, effects out, with shorthands for frames. */
export class Probe {
  conn: ConnectionState;

  constructor(config: ConnectionConfig = connectionConfig()) {
    this.conn = createConnection(config);
  }

  /** One event. */
  step(event: ConnectionEvent): Effect[] {
    const { state, effects } = stepConnection(this.conn, event);
    this.conn = state;
    return effects;
  }

  /** One message from the peer under our numbers. */
  recv(message: Message): Effect[] {
    return this.step({ type: 'received', id: MESSAGE_ID[message.type], payload: encodePayload(message) });
  }

  /** An extended handshake from the peer. */
  shake(body: Uint8Array = INSTALL): Effect[] {
    return this.step({ type: 'received', id: 0, payload: body });
  }
}

/** The messages among the effects. */
export function sent(effects: readonly Effect[]): Message[] {
  return effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []));
}

/** The code of the close among the effects. */
export function closeCode(effects: readonly Effect[]): string | undefined {
  return effects.find((effect) => effect.type === 'close')?.code;
}

/** The effects of one type. */
export function only<T extends Effect['type']>(effects: readonly Effect[], type: T): Extract<Effect, { type: T }>[] {
  return effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type);
}
