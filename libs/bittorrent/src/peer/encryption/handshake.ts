import { failure, success, type Result } from '../../result.js';
import type { ByteReader } from '../byte-reader.js';
import type { CloseReason } from '../close-reason.js';
import type { PeerStream } from '../stream.js';
import { KeyExchange, keyStreams, MAX_PAD_BYTES, PUBLIC_KEY_BYTES, randomPad, sha1 } from './key-exchange.js';
import type { Rc4 } from './rc4.js';

/** Methods, as bits. */
const Method = { plaintext: 1, rc4: 2 } as const;
const VERIFICATION = new Uint8Array(8);
/** Verification, methods, length of the pad. */
const OFFER_BYTES = 8 + 4 + 2;
const HASH_BYTES = 20;
/** Longest first payload: a BitTorrent handshake and some messages. */
const MAX_FIRST_PAYLOAD_BYTES = 4096;

export interface Secured {
  /** Key streams of both directions; undefined: plaintext was agreed on. */
  readonly keys: { readonly incoming: Rc4; readonly outgoing: Rc4 } | undefined;
  /** Plain bytes that came with the handshake. */
  readonly first: Uint8Array;
}

/**
 * Answers an encrypted handshake (message stream encryption, the responder's side). Where the peer offers both methods
 * plaintext is chosen: what is to be hidden, the handshake, is hidden, and pieces cost no cipher.
 *
 * @param infoHashOf the torrent (lowercase hex) behind `obfuscatedHash`
 */
export async function respond(
  stream: PeerStream,
  reader: ByteReader,
  infoHashOf: (obfuscated: string) => string | undefined,
): Promise<Result<Secured, CloseReason>> {
  const theirs = await reader.read(PUBLIC_KEY_BYTES);
  if (!theirs.ok) return theirs;
  const exchange = new KeyExchange();
  const secret = exchange.secretWith(theirs.value);
  if (secret === undefined) return failure('not-bittorrent');
  stream.write(Buffer.concat([exchange.publicKey, randomPad()]));
  const found = await reader.skipPast(sha1('req1', secret), MAX_PAD_BYTES);
  if (!found.ok) return found;
  const masked = await reader.read(HASH_BYTES);
  if (!masked.ok) return masked;
  const infoHash = infoHashOf(Buffer.from(xored(masked.value, sha1('req3', secret))).toString('hex'));
  if (infoHash === undefined) return failure('unknown-torrent');
  const { initiator, responder } = keyStreams(secret, Buffer.from(infoHash, 'hex'));
  const offer = await readOffer(reader, initiator);
  if (!offer.ok) return offer;
  const length = await readDecrypted(reader, 2, initiator);
  if (!length.ok) return length;
  const firstBytes = uint16(length.value, 0);
  if (firstBytes > MAX_FIRST_PAYLOAD_BYTES) return failure('not-bittorrent');
  const first = await readDecrypted(reader, firstBytes, initiator);
  if (!first.ok) return first;
  const method = offer.value & (Method.plaintext | Method.rc4);
  if (method === 0) return failure('not-bittorrent');
  const chosen = (method & Method.plaintext) !== 0 ? Method.plaintext : Method.rc4;
  stream.write(responder.transformed(offerBytes(chosen)));
  const keys = chosen === Method.rc4 ? { incoming: initiator, outgoing: responder } : undefined;
  return success({ keys, first: first.value });
}

/**
 * Begins an encrypted handshake (the initiator's side).
 *
 * @param first what the connection begins with; sent along, encrypted
 * @param rc4Only whether plaintext after the handshake is not enough
 */
export async function initiate(
  stream: PeerStream,
  reader: ByteReader,
  infoHash: string,
  first: Uint8Array,
  rc4Only: boolean,
): Promise<Result<Secured, CloseReason>> {
  const exchange = new KeyExchange();
  stream.write(Buffer.concat([exchange.publicKey, randomPad()]));
  const theirs = await reader.read(PUBLIC_KEY_BYTES);
  if (!theirs.ok) return theirs;
  const secret = exchange.secretWith(theirs.value);
  if (secret === undefined) return failure('not-bittorrent');
  const key = Buffer.from(infoHash, 'hex');
  const { initiator, responder } = keyStreams(secret, key);
  const methods = rc4Only ? Method.rc4 : Method.rc4 | Method.plaintext;
  const length = Buffer.from([first.length >> 8, first.length & 255]);
  const hidden = initiator.transformed(Buffer.concat([offerBytes(methods), length, first]));
  const named = xored(sha1('req2', key), sha1('req3', secret));
  stream.write(Buffer.concat([sha1('req1', secret), named, hidden]));
  // The verification constant is found by what it looks like encrypted, which also moves the key stream past it.
  const found = await reader.skipPast(responder.transformed(VERIFICATION), MAX_PAD_BYTES);
  if (!found.ok) return found;
  const chosen = await readOfferRest(reader, responder);
  if (!chosen.ok) return chosen;
  const valid = chosen.value === Method.rc4 || (chosen.value === Method.plaintext && !rc4Only);
  if (!valid) return failure('not-bittorrent');
  const keys = chosen.value === Method.rc4 ? { incoming: responder, outgoing: initiator } : undefined;
  return success({ keys, first: new Uint8Array() });
}

/** Reads verification, methods and pad; answers the methods. */
async function readOffer(reader: ByteReader, cipher: Rc4): Promise<Result<number, CloseReason>> {
  const verification = await readDecrypted(reader, VERIFICATION.length, cipher);
  if (!verification.ok) return verification;
  if (verification.value.some((byte) => byte !== 0)) return failure('not-bittorrent');
  return readOfferRest(reader, cipher);
}

async function readOfferRest(reader: ByteReader, cipher: Rc4): Promise<Result<number, CloseReason>> {
  const fields = await readDecrypted(reader, OFFER_BYTES - VERIFICATION.length, cipher);
  if (!fields.ok) return fields;
  const padBytes = uint16(fields.value, 4);
  if (padBytes > MAX_PAD_BYTES) return failure('not-bittorrent');
  const pad = await readDecrypted(reader, padBytes, cipher);
  return pad.ok ? success(fields.value[3] ?? 0) : pad;
}

function offerBytes(methods: number): Uint8Array {
  const bytes = new Uint8Array(OFFER_BYTES);
  bytes[11] = methods;
  return bytes;
}

async function readDecrypted(reader: ByteReader, count: number, cipher: Rc4): Promise<Result<Uint8Array, CloseReason>> {
  const bytes = await reader.read(count);
  return bytes.ok ? success(cipher.transformed(bytes.value)) : bytes;
}

function xored(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, at) => byte ^ (b[at] ?? 0));
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
