import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { isIPv6 } from 'node:net';
import { failure } from '../../result.js';
import { NO_PORT } from '../addresses.js';
import { DISCOVERY_DEFAULTS } from '../defaults.js';
import type { Announce, AnnounceError, AnnounceOutcome } from './announce.js';
import { readHttpReply } from './http-reply.js';

const MAX_REDIRECTIONS = 3;

/** Announces over HTTP. Never rejects. Reads no more than an answer can have, however long the tracker talks. */
export async function announceHttp(announce: Announce, signal: AbortSignal): Promise<AnnounceOutcome> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DISCOVERY_DEFAULTS.trackerTimeoutMs)]);
  let url = requestUrl(announce);
  for (let hops = 0; hops <= MAX_REDIRECTIONS; hops++) {
    const answer = await fetchOnce(url, announce.localHost, limit);
    if ('error' in answer) return failure({ code: answer.error, detail: answer.detail });
    if (answer.location === undefined) return readHttpReply(answer.body);
    const next = URL.canParse(answer.location, url.href) ? new URL(answer.location, url) : undefined;
    if (next === undefined || !/^https?:$/.test(next.protocol)) break;
    url = next;
  }
  return failure({ code: 'tracker-answer-invalid', detail: 'redirections' });
}

type Answer =
  | { readonly body: Uint8Array; readonly location?: string }
  | { readonly error: AnnounceError; readonly detail: string };

function fetchOnce(url: URL, localHost: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const onError = (error: Error): void => {
      const timedOut = signal.aborted && (signal.reason as Error | undefined)?.name === 'TimeoutError';
      resolve({ error: timedOut ? 'tracker-timeout' : 'tracker-unreachable', detail: error.message });
    };
    const get = url.protocol === 'https:' ? httpsGet : httpGet;
    try {
      const request = get(
        url,
        {
          signal,
          // One announce per half an hour: an idle connection would be kept for nothing.
          agent: false,
          headers: { 'user-agent': 'Seedfleet/0.1', accept: '*/*' },
          localAddress: localHost,
          family: isIPv6(localHost) ? 6 : 4,
        },
        (response) => void readBody(response).then(resolve, onError),
      );
      request.on('error', onError);
    } catch (refused) {
      resolve({ error: 'tracker-unreachable', detail: String(refused) });
    }
  });
}

async function readBody(response: IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400 && response.headers.location !== undefined) {
    response.destroy();
    return { body: new Uint8Array(), location: response.headers.location };
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > DISCOVERY_DEFAULTS.trackerReplyBytes) {
      response.destroy();
      return { error: 'tracker-answer-too-large', detail: `${size} bytes` };
    }
    chunks.push(chunk);
  }
  if (status !== 200) return { error: 'tracker-answer-invalid', detail: `status ${status}` };
  return { body: Buffer.concat(chunks) };
}

function requestUrl(announce: Announce): URL {
  const { port, leftBytes, event, publicHost, key, trackerId } = announce;
  const fields = [
    `info_hash=${escaped(Buffer.from(announce.infoHash, 'hex'))}`,
    `peer_id=${escaped(announce.peerId)}`,
    `port=${port ?? NO_PORT}`,
    'uploaded=0',
    'downloaded=0',
    `left=${leftBytes}`,
    'compact=1',
    `numwant=${event === 'stopped' ? 0 : DISCOVERY_DEFAULTS.numWant}`,
    `key=${key.toString(16).padStart(8, '0')}`,
    ...(event === undefined ? [] : [`event=${event}`]),
    ...(publicHost === undefined ? [] : [`ip=${encodeURIComponent(publicHost)}`]),
    ...(trackerId === undefined ? [] : [`trackerid=${escaped(trackerId)}`]),
  ];
  const url = new URL(announce.url);
  url.search += `${url.search === '' ? '?' : '&'}${fields.join('&')}`;
  url.hash = '';
  return url;
}

function escaped(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}
