import {
  decodeMessage,
  FrameSplitter,
  MESSAGE_ID,
  MESSAGE_NAMES,
  readExtendedHandshake,
  type DecodedMessage,
  type ExtendedHandshake,
  type MessageIds,
  type MessageName,
  type WireError,
} from '@seedfleet/wire';
import { VectorError, type Fields } from '../input/fields.js';
import { isOnCurve } from '../wire/messages.js';

/** One direction of a connection; `c2s` is the buyer's. */
export type Direction = 'c2s' | 's2c';

/** A frame that matters to the paid protocol, in the order of the capture. */
export type CapturedFrame = {
  readonly direction: Direction;
  /** Extended id as it was on the wire. */
  readonly id: number;
  /** Payload of the extended message. */
  readonly payload: Uint8Array;
} & (
  | { readonly kind: 'handshake'; readonly handshake: ExtendedHandshake }
  | {
      readonly kind: 'message';
      readonly name: MessageName;
      /** Ids the receiver had announced, which the frame was sent under. */
      readonly ids: MessageIds;
      readonly decoded: DecodedMessage | WireError;
    }
);

export interface Connection {
  readonly name: string;
  /** 20 bytes; absent when no handshake of the buyer was captured. */
  readonly buyerPeerId: Uint8Array | undefined;
  readonly sellerPeerId: Uint8Array | undefined;
  readonly frames: readonly CapturedFrame[];
  /** Why the capture of a direction can't be read to its end. */
  readonly faults: readonly string[];
}

const HANDSHAKE_BYTES = 68;
const PEER_ID_AT = 48;
const PROTOCOL = '\x13BitTorrent protocol';

/** A piece of 16 MiB with its headers, and room to spare. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** Splits one direction into its BitTorrent handshake and frames. */
class DirectionReader {
  #head: Uint8Array | undefined = new Uint8Array();
  readonly #splitter = new FrameSplitter(MAX_FRAME_BYTES);
  peerId: Uint8Array | undefined;
  fault: string | undefined;

  push(bytes: Uint8Array): { readonly id: number; readonly payload: Uint8Array }[] {
    if (this.fault !== undefined) return [];
    const rest = this.#head === undefined ? bytes : this.#handshake(this.#head, bytes);
    const split = this.#splitter.push(rest);
    if (!split.ok) this.fault = `a frame of ${split.declaredBytes} bytes`;
    return split.frames.flatMap((frame) =>
      frame.kind === 'extended' ? [{ id: frame.extendedId, payload: frame.payload }] : [],
    );
  }

  /** Takes the handshake off the front and returns what follows it. */
  #handshake(head: Uint8Array, bytes: Uint8Array): Uint8Array {
    const joined = Buffer.concat([head, bytes]);
    if (joined.subarray(0, PROTOCOL.length).toString('latin1') !== PROTOCOL.slice(0, joined.length)) {
      this.fault = 'it does not begin with a BitTorrent handshake';
      return new Uint8Array();
    }
    if (joined.length < HANDSHAKE_BYTES) {
      this.#head = joined;
      return new Uint8Array();
    }
    this.#head = undefined;
    this.peerId = Uint8Array.from(joined.subarray(PEER_ID_AT, HANDSHAKE_BYTES));
    return joined.subarray(HANDSHAKE_BYTES);
  }
}

/** Reads the connections of a capture, each with its frames of both directions in order. */
export const readCapture = (lines: readonly Fields[]): Connection[] => {
  const byConnection = new Map<string, Fields[]>();
  for (const line of lines) {
    if (!line.has('conn')) continue;
    const key = String(line.raw('conn'));
    const known = byConnection.get(key);
    if (known === undefined) byConnection.set(key, [line]);
    else known.push(line);
  }
  return [...byConnection].map(([key, own]) => readConnection(key, own));
};

const readConnection = (key: string, lines: readonly Fields[]): Connection => {
  const readers = { c2s: new DirectionReader(), s2c: new DirectionReader() };
  const announced: Partial<Record<Direction, MessageIds>> = {};
  const frames: CapturedFrame[] = [];
  for (const line of lines) {
    if (!line.has('hex')) continue;
    const direction = line.text('dir');
    if (direction !== 'c2s' && direction !== 's2c') throw new VectorError(`${line.path}: direction ${direction}`);
    const receiver = direction === 'c2s' ? 's2c' : 'c2s';
    for (const frame of readers[direction].push(line.bytes('hex'))) {
      if (frame.id === 0) {
        const handshake = readExtendedHandshake(frame.payload);
        if (handshake.ok && handshake.extension.kind === 'install') announced[direction] = handshake.extension.ids;
        frames.push({ ...frame, direction, kind: 'handshake', handshake });
        continue;
      }
      const ids = announced[receiver] ?? MESSAGE_ID;
      const name = MESSAGE_NAMES.find((known) => ids[known] === frame.id);
      // Other extensions' messages are none of ours.
      if (name === undefined) continue;
      const decoded = decodeMessage(MESSAGE_ID[name], frame.payload, isOnCurve);
      frames.push({ ...frame, direction, kind: 'message', name, ids, decoded });
    }
  }
  const faults = (['c2s', 's2c'] as const).flatMap((direction) => {
    const { fault } = readers[direction];
    return fault === undefined ? [] : [`${direction}: ${fault}`];
  });
  return {
    name: `connection ${key}`,
    buyerPeerId: readers.c2s.peerId,
    sellerPeerId: readers.s2c.peerId,
    frames,
    faults,
  };
};
