import { lookup } from 'node:dns';
import { request as requestHttp, type Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { request as requestHttps, type Agent as HttpsAgent } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { failure, success, type Result } from '../../result.js';
import { readSourceAddress } from './source-address.js';
import type { SourceError } from './source-error.js';

/** How a source is reached. */
export interface SourceSettings {
  /** Judges every address a name has before a connection is made. */
  readonly mayCall: (address: string) => boolean;
  /** A connection on which nothing moves for so long is given up. Default 30 s. */
  readonly silenceMs?: number;
  /** Redirects followed for one file. Default 5: object stores need one or two. */
  readonly maxRedirects?: number;
}

/** Connections to one source, kept between files. */
export interface SourceAgents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** A file's bytes as they come, from `startBytes` on. */
export interface SourceBody {
  readonly message: IncomingMessage;
  /** 0 where the server sends the whole file though a part was asked for. */
  readonly startBytes: number;
}

const SILENCE_MS = 30_000;
const MAX_REDIRECTS = 5;

/**
 * Asks for a file from a byte on. Names are resolved once per connection, by the connection itself, and refused if one of
 * their addresses is: a name that changes its mind in between leads nowhere else.
 */
export async function openBody(
  address: URL,
  fromBytes: number,
  fileBytes: number,
  agents: SourceAgents,
  settings: SourceSettings,
  signal: AbortSignal,
): Promise<Result<SourceBody, SourceError>> {
  const maxRedirects = settings.maxRedirects ?? MAX_REDIRECTS;
  let at = address;
  for (let redirects = 0; ; redirects++) {
    const answer = await ask(at, fromBytes, agents, settings, signal);
    if (!answer.ok) return answer;
    const message = answer.value;
    const status = message.statusCode ?? 0;
    if (status < 300 || status >= 400) return bodyOf(message, status, fromBytes, fileBytes);
    message.destroy();
    const next = redirectOf(at, message.headers.location);
    if (next === undefined) return failure({ code: 'redirect-refused', detail: `status ${status}` });
    if (redirects >= maxRedirects) return failure({ code: 'redirect-refused', detail: `more than ${maxRedirects}` });
    at = next;
  }
}

function redirectOf(from: URL, location: string | undefined): URL | undefined {
  if (location === undefined || !URL.canParse(location, from.href)) return undefined;
  const next = readSourceAddress(new URL(location, from).href);
  return next !== undefined && (from.protocol !== 'https:' || next.protocol === 'https:') ? next : undefined;
}

function ask(
  address: URL,
  fromBytes: number,
  agents: SourceAgents,
  { mayCall, silenceMs = SILENCE_MS }: SourceSettings,
  signal: AbortSignal,
): Promise<Result<IncomingMessage, SourceError>> {
  const secure = address.protocol === 'https:';
  const bare = address.hostname.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0 && !mayCall(bare)) return Promise.resolve(failure({ code: 'address-refused', detail: bare }));
  return new Promise((resolve) => {
    const request = (secure ? requestHttps : requestHttp)(
      address,
      {
        agent: secure ? agents.https : agents.http,
        lookup: judgedLookup(mayCall),
        headers: { range: `bytes=${fromBytes}-`, 'accept-encoding': 'identity', 'user-agent': 'seedfleet' },
        timeout: silenceMs,
        signal,
      },
      (message) => {
        begun = message;
        resolve(success(message));
      },
    );
    let begun: IncomingMessage | undefined;
    request.on('timeout', () => (begun ?? request).destroy(Object.assign(new Error('silent'), { code: 'SILENT' })));
    // After the answer has begun, its stream tells of the same failure.
    request.on('error', (error) => resolve(failure(connectionError(error))));
    request.end();
  });
}

function judgedLookup(mayCall: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '');
      const refused = found.find(({ address }) => !mayCall(address));
      const [first] = found;
      if (refused !== undefined || first === undefined) {
        return callback(Object.assign(new Error(refused?.address ?? 'none'), { code: 'REFUSED_ADDRESS' }), '');
      }
      if (options.all === true) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}

/** What a failed connection means. */
export function connectionError(error: unknown): SourceError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'REFUSED_ADDRESS') return { code: 'address-refused', detail: message };
  if (code === 'ENOTFOUND') return { code: 'name-unknown', detail: code };
  if (code === 'SILENT') return { code: 'too-slow', detail: 'nothing came' };
  if (code === 'ECONNRESET' || message === 'aborted') return { code: 'cut-off', detail: code };
  return { code: 'unreachable', detail: code };
}

function bodyOf(
  message: IncomingMessage,
  status: number,
  fromBytes: number,
  fileBytes: number,
): Result<SourceBody, SourceError> {
  const refuse = (code: SourceError['code'], detail: string): Result<SourceBody, SourceError> => {
    message.destroy();
    return failure({ code, detail });
  };
  if (status === 429 || status >= 500) return refuse('source-busy', `status ${status}`);
  if (status === 416) return refuse('source-differs', 'the file is shorter');
  if (status !== 200 && status !== 206) return refuse('source-refused', `status ${status}`);
  const encoding = message.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') return refuse('source-differs', 'sent compressed');
  if (status === 200) {
    const length = message.headers['content-length'];
    if (length !== undefined && Number(length) !== fileBytes) {
      return refuse('source-differs', `${length.slice(0, 20)} instead of ${fileBytes} bytes`);
    }
    return success({ message, startBytes: 0 });
  }
  const range = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(message.headers['content-range'] ?? '');
  if (range === null || Number(range[1]) !== fromBytes) return refuse('source-differs', 'another range was sent');
  if (range[3] !== '*' && Number(range[3]) !== fileBytes) {
    return refuse('source-differs', `${range[3] ?? ''} instead of ${fileBytes} bytes`);
  }
  return success({ message, startBytes: fromBytes });
}
