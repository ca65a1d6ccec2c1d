import http from 'node:http';
import https from 'node:https';
import type { RpcEndpoint } from './credentials.js';

/** What came of one HTTP request, before the body is understood. */
export type HttpOutcome =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** Nothing reached the node: the connection was never made. Safe to repeat any call. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** The connection broke after the request may have been read. Safe to repeat only calls without side effects. */
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'no-credentials'; readonly reason: string }
  | { readonly kind: 'aborted' };

export interface HttpRequest {
  readonly body: string;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  /** Kept-alive sockets; undefined opens a fresh connection, which an idle time-out of the node can't have closed. */
  readonly agent: http.Agent | undefined;
  readonly signal?: AbortSignal | undefined;
}

const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Sends one POST and reads the whole answer, within a time limit and a size limit. Never rejects. */
export async function post(endpoint: RpcEndpoint, request: HttpRequest): Promise<HttpOutcome> {
  let authorisation: string | undefined;
  try {
    authorisation = await endpoint.authorisation();
  } catch (error) {
    return { kind: 'no-credentials', reason: `cookie file: ${errorText(error)}` };
  }
  if (request.signal?.aborted) return { kind: 'aborted' };
  return new Promise((resolve) => send(endpoint, request, authorisation, resolve));
}

function send(
  endpoint: RpcEndpoint,
  request: HttpRequest,
  authorisation: string | undefined,
  done: (outcome: HttpOutcome) => void,
): void {
  const outgoing = (endpoint.tls ? https : http).request({
    host: endpoint.host,
    port: endpoint.port,
    path: endpoint.path,
    method: 'POST',
    agent: request.agent ?? false,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(request.body),
      ...(authorisation === undefined ? {} : { authorization: authorisation }),
    },
  });
  const timer = setTimeout(() => finish({ kind: 'timeout' }), request.timeoutMs);
  const onAbort = (): void => finish({ kind: 'aborted' });
  request.signal?.addEventListener('abort', onAbort, { once: true });

  let finished = false;
  function finish(outcome: HttpOutcome): void {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', onAbort);
    if (outcome.kind !== 'answer') outgoing.destroy();
    done(outcome);
  }

  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    const kind = NEVER_CONNECTED.has(error.code ?? '') ? 'not-sent' : 'broken';
    finish({ kind, reason: errorText(error) });
  });
  outgoing.on('response', (response) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    response.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > request.maxResponseBytes) finish({ kind: 'too-large' });
      else chunks.push(chunk);
    });
    response.on('error', (error) => finish({ kind: 'broken', reason: errorText(error) }));
    response.on('aborted', () => finish({ kind: 'broken', reason: 'connection closed before the end of the answer' }));
    response.on('end', () =>
      finish({ kind: 'answer', status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
    );
  });
  outgoing.end(request.body);
}

/** Text of an error; a refused connection to several addresses arrives as an AggregateError with an empty message. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return error.message !== '' ? error.message : (code ?? error.name);
}
