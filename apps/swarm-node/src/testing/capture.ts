import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeMessage, FrameSplitter, type Message } from '@seedfleet/wire';

const FOLDER = fileURLToPath(new URL('../../../../tools/conformance/fixtures/reference/', import.meta.url));
const HANDSHAKE_BYTES = 68;
const INFO_HASH_AT = 28;
/** First byte of a handshake; a frame that begins with it would have 300 MB. */
const PROTOCOL_LENGTH = 19;
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** A captured sale between a reference buyer and a reference seller, as lines of a journal in the order of time. */
export type CapturedEvent =
  /** Its handshake or a frame, and the message of the paid protocol in it. */
  | { readonly from: 'buyer'; readonly bytes: Uint8Array; readonly messages: readonly Message[] }
  | { readonly from: 'seller'; readonly messages: readonly Message[] };

export interface Capture {
  /** Of the content that was sold. */
  readonly totalBytes: number;
  readonly events: readonly CapturedEvent[];
}

interface Line {
  readonly dir?: 'c2s' | 's2c';
  readonly hex?: string;
}

/**
 * Reads a capture as far as the seller keeps its session: where its user stops and starts it, which a node never does, the
 * capture ends. The buyer's handshake asks for the given torrent instead of the captured one.
 */
export function readCapture(name: string, infoHash: string): Capture {
  const text = readFileSync(`${FOLDER}transcript-${name}.json`, 'utf8').trim();
  const readers = { c2s: messageReader(), s2c: messageReader() };
  const events: CapturedEvent[] = [];
  let greetings = 0;
  for (const line of text.split('\n')) {
    const { dir, hex } = JSON.parse(line) as Line;
    if (dir === undefined || hex === undefined) continue;
    const bytes = Buffer.from(hex, 'hex');
    if (dir === 's2c') {
      const { messages, shakes } = readers.s2c(bytes);
      if (shakes && ++greetings > 1) break;
      events.push({ from: 'seller', messages });
      continue;
    }
    for (const part of partsOf(bytes)) {
      const { messages, isFirst } = readers.c2s(part);
      if (isFirst) part.set(Buffer.from(infoHash, 'hex'), INFO_HASH_AT);
      events.push({ from: 'buyer', bytes: part, messages });
    }
  }
  const torrent = readFileSync(`${FOLDER}transcript-${name}.torrent`, 'latin1');
  return { totalBytes: Number(/6:lengthi(\d+)e/.exec(torrent)?.[1]), events };
}

/** The handshake, or the frames one by one; what is cut off stays together. */
function partsOf(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const isHandshake = bytes[at] === PROTOCOL_LENGTH;
    const end = isHandshake || at + 4 > bytes.length ? HANDSHAKE_BYTES : 4 + bytes.readUInt32BE(at);
    parts.push(bytes.subarray(at, at + end));
    at += end;
  }
  return parts;
}

/**
 * Takes the messages of the paid protocol out of one direction's bytes, whose first 68 are a handshake, and tells whether
 * an extended handshake was among them.
 */
export function messageReader(): (bytes: Uint8Array) => {
  readonly messages: readonly Message[];
  readonly isFirst: boolean;
  readonly shakes: boolean;
} {
  const splitter = new FrameSplitter(MAX_FRAME_BYTES);
  let head = HANDSHAKE_BYTES;
  return (bytes) => {
    const isFirst = head > 0;
    const rest = bytes.subarray(Math.min(head, bytes.length));
    head -= bytes.length - rest.length;
    const { frames } = splitter.push(rest);
    const shakes = frames.some((frame) => frame.kind === 'extended' && frame.extendedId === 0);
    const messages = frames.flatMap((frame) => {
      if (frame.kind !== 'extended' || frame.extendedId === 0) return [];
      const decoded = decodeMessage(frame.extendedId, frame.payload, () => true);
      if (!decoded.ok) throw new Error(`id ${frame.extendedId}: ${decoded.code}`);
      return [decoded.message];
    });
    return { messages, isFirst, shakes };
  };
}
