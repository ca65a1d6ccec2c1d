import { decodeBencode, type BencodeDictionary, type BencodeValue } from '../../bencode/decode.js';
import { failure, success } from '../../result.js';
import { parseCompact, type PeerAddress } from '../addresses.js';
import { DISCOVERY_DEFAULTS } from '../defaults.js';
import type { AnnounceOutcome } from './announce.js';

const LIMITS = { maxDepth: 8, maxValues: 20_000 };
const MAX_TEXT = 200;
const MAX_TRACKER_ID_BYTES = 256;

/** Reads a tracker's answer (BEP 3, 7, 23, 24). The peers in it are still to be checked. */
export function readHttpReply(body: Uint8Array): AnnounceOutcome {
  const decoded = decodeBencode(body, LIMITS);
  if (!decoded.ok || decoded.value.type !== 'dictionary') {
    return failure({ code: 'tracker-answer-invalid', detail: 'not a bencoded dictionary' });
  }
  const reply = decoded.value;
  const refusal = bytesOf(reply, 'failure reason');
  if (refusal !== undefined) return failure({ code: 'tracker-refused', detail: textOf(refusal) });
  const intervalS = Math.max(integerOf(reply, 'interval') ?? 0, integerOf(reply, 'min interval') ?? 0);
  const trackerId = bytesOf(reply, 'tracker id');
  const ourAddress = bytesOf(reply, 'external ip');
  return success({
    peers: [...peersOf(reply.value.get('peers'), 4), ...peersOf(reply.value.get('peers6'), 6)],
    intervalMs: intervalS > 0 ? intervalS * 1000 : undefined,
    ...(trackerId !== undefined && trackerId.length <= MAX_TRACKER_ID_BYTES ? { trackerId: trackerId.slice() } : {}),
    ...(ourAddress?.length === 4 || ourAddress?.length === 16 ? { ourAddress: ourAddress.slice() } : {}),
  });
}

function peersOf(value: BencodeValue | undefined, family: 4 | 6): PeerAddress[] {
  const most = DISCOVERY_DEFAULTS.peersPerReport;
  if (value?.type === 'string') return parseCompact(value.value, family, most);
  if (value?.type !== 'list') return [];
  return value.value.slice(0, most).flatMap((peer) => {
    if (peer.type !== 'dictionary') return [];
    const host = bytesOf(peer, 'ip');
    const port = integerOf(peer, 'port');
    return host === undefined || port === undefined ? [] : [{ host: textOf(host).replace(/^\[|\]$/g, ''), port }];
  });
}

function integerOf(dictionary: BencodeDictionary, key: string): number | undefined {
  const value = dictionary.value.get(key);
  return value?.type === 'integer' && value.value >= 0 ? value.value : undefined;
}

function bytesOf(dictionary: BencodeDictionary, key: string): Uint8Array | undefined {
  const value = dictionary.value.get(key);
  return value?.type === 'string' ? value.value : undefined;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, MAX_TEXT)).toString('utf8');
}
