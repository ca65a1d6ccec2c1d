import { lookup } from 'node:dns/promises';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { literalAddress, mayCall } from '@seedfleet/service-kit';

/** Why a delivery did not arrive. */
export type CallProblem =
  /** The name has no address. */
  | 'name-unknown'
  /** The name leads to an address that webhooks must not call. */
  | 'address-refused'
  /** No connection, or it broke; TLS that does not verify counts here. */
  | 'unreachable'
  /** No complete answer in time. */
  | 'timeout'
  /** A redirect, which is never followed. */
  | 'redirected'
  /** Another status than 2xx. */
  | 'refused';

export type CallOutcome =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly status: number | null; readonly problem: CallProblem };

export interface Call {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface CallSettings {
  /** Private networks that may be called nevertheless. */
  readonly networks: readonly string[];
  readonly timeoutMs: number;
}

/** An answer is not read beyond this: only its status counts. */
const MAX_ANSWER_BYTES = 65_536;

/**
 * Posts to an address of the operator's choice. The name is resolved once, every address it has is judged, and the
 * connection goes to the one that was judged: a name that changes its mind in between leads nowhere else.
 */
export async function call({ url, headers, body }: Call, { networks, timeoutMs }: CallSettings): Promise<CallOutcome> {
  const target = new URL(url);
  const signal = AbortSignal.timeout(timeoutMs);
  const addresses = await addressesOf(target.hostname, signal);
  if (addresses === undefined) return failed(signal.aborted ? 'timeout' : 'name-unknown');
  const [address] = addresses;
  if (address === undefined || !addresses.every((each) => mayCall(each, networks))) return failed('address-refused');
  const secure = target.protocol === 'https:';
  const options: RequestOptions & { servername?: string } = {
    host: address,
    port: target.port === '' ? (secure ? 443 : 80) : Number(target.port),
    path: `${target.pathname}${target.search}`,
    method: 'POST',
    headers: { ...headers, host: target.host, 'content-length': String(Buffer.byteLength(body)) },
    // A connection of its own: none is shared between receivers, none outlives the call.
    agent: false,
    signal,
    ...(secure && literalAddress(target.hostname) === undefined ? { servername: target.hostname } : {}),
  };
  try {
    const status = await post(secure ? requestHttps : requestHttp, options, body);
    if (status >= 200 && status < 300) return { ok: true, status };
    return { ok: false, status, problem: status >= 300 && status < 400 ? 'redirected' : 'refused' };
  } catch {
    return failed(signal.aborted ? 'timeout' : 'unreachable');
  }
}

function failed(problem: CallProblem): CallOutcome {
  return { ok: false, status: null, problem };
}

/** Undefined when the name has none, or the time is up. */
async function addressesOf(hostname: string, signal: AbortSignal): Promise<string[] | undefined> {
  const literal = literalAddress(hostname);
  if (literal !== undefined) return [literal];
  const late = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const found = lookup(hostname, { all: true }).then(
    (records) => records.map(({ address }) => address),
    () => undefined,
  );
  return Promise.race([found, late]);
}

function post(request: typeof requestHttp, options: RequestOptions, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(options, (answer: IncomingMessage) => {
      let bytes = 0;
      const done = () => resolve(answer.statusCode ?? 0);
      answer.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes <= MAX_ANSWER_BYTES) return;
        done();
        answer.destroy();
      });
      answer.on('end', done);
      answer.on('error', reject);
      answer.on('aborted', () => reject(new Error('cut off')));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
