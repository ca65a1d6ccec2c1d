import { decodeBencode, type BencodeDictionary, type BencodeValue } from '../../bencode/decode.js';

/** What a DHT packet is, as far as it matters before the DHT itself reads it. */
export interface PacketKind {
  readonly kind: 'query' | 'response' | 'error';
  /** Our address as the responder sees it (BEP 42), 4 bytes. */
  readonly ourAddress?: Uint8Array;
}

/** Longest packet: an answer with 50 peers or 20 nodes has less than 1 KiB. */
const MAX_PACKET_BYTES = 4096;
const LIMITS = { maxDepth: 6, maxValues: 1024 };
const ID_BYTES = 20;
const MAX_TRANSACTION_BYTES = 32;
const MAX_TOKEN_BYTES = 128;
const COMPACT_PEER_BYTES = 6;

/**
 * Reads a packet (BEP 5) strictly; undefined for anything that the DHT library could stumble over. It decodes with a
 * reader that some bytes send into an endless loop, and takes the types of fields for granted: one packet of a
 * stranger could stop the process. Storing values for others (BEP 44 `put`) is not our business.
 */
export function inspectPacket(bytes: Uint8Array): PacketKind | undefined {
  if (bytes.length > MAX_PACKET_BYTES) return undefined;
  const decoded = decodeBencode(bytes, LIMITS);
  if (!decoded.ok || decoded.value.type !== 'dictionary') return undefined;
  const message = decoded.value.value;
  const transaction = message.get('t');
  if (!isString(transaction, 1, MAX_TRANSACTION_BYTES)) return undefined;
  switch (textOf(message.get('y'))) {
    case 'q':
      return isSoundQuery(textOf(message.get('q')), message.get('a')) ? { kind: 'query' } : undefined;
    case 'r': {
      if (!isSoundResponse(message.get('r'))) return undefined;
      const ip = message.get('ip');
      return { kind: 'response', ...(isString(ip, 6, 6) ? { ourAddress: ip.value.subarray(0, 4) } : {}) };
    }
    case 'e':
      return message.get('e')?.type === 'list' ? { kind: 'error' } : undefined;
    default:
      return undefined;
  }
}

function isSoundQuery(method: string | undefined, argument: BencodeValue | undefined): boolean {
  if (argument?.type !== 'dictionary' || !isId(argument.value.get('id'))) return false;
  switch (method) {
    case 'ping':
      return true;
    case 'find_node':
    case 'get':
      return isId(argument.value.get('target'));
    case 'get_peers':
      return isId(argument.value.get('info_hash'));
    case 'announce_peer':
      return (
        isId(argument.value.get('info_hash')) &&
        isString(argument.value.get('token'), 1, MAX_TOKEN_BYTES) &&
        isAbsentOrInteger(argument, 'port') &&
        isAbsentOrInteger(argument, 'implied_port')
      );
    default:
      return false;
  }
}

function isSoundResponse(reply: BencodeValue | undefined): boolean {
  if (reply?.type !== 'dictionary' || !isId(reply.value.get('id'))) return false;
  const token = reply.value.get('token');
  const nodes = reply.value.get('nodes');
  const values = reply.value.get('values');
  if (token !== undefined && !isString(token, 0, MAX_TOKEN_BYTES)) return false;
  if (nodes !== undefined && nodes.type !== 'string') return false;
  if (values === undefined) return true;
  return values.type === 'list' && values.value.every((peer) => isString(peer, COMPACT_PEER_BYTES, COMPACT_PEER_BYTES));
}

function isAbsentOrInteger(dictionary: BencodeDictionary, key: string): boolean {
  const value = dictionary.value.get(key);
  return value === undefined || value.type === 'integer';
}

function isId(value: BencodeValue | undefined): boolean {
  return isString(value, ID_BYTES, ID_BYTES);
}

function isString(
  value: BencodeValue | undefined,
  least: number,
  most: number,
): value is Extract<BencodeValue, { type: 'string' }> {
  return value?.type === 'string' && value.value.length >= least && value.value.length <= most;
}

function textOf(value: BencodeValue | undefined): string | undefined {
  return value?.type === 'string' ? Buffer.from(value.value).toString('latin1') : undefined;
}
