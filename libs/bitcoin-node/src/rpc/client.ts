import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, succeed, type NodeError, type NodeErrorCode, type NodeResult } from '../errors.js';
import { parseJsonExact } from '../json-exact.js';
import { rpcEndpoint, type RpcEndpoint, type RpcLocation } from './credentials.js';
import { Gate } from './gate.js';
import { post, type HttpOutcome } from './transport.js';

/** Options of the RPC client; each has a default. */
export interface RpcOptions extends RpcLocation {
  /** Time limit of one attempt. Default 15 s: a full block on a slow disk takes a few. */
  readonly timeoutMs?: number;
  /** Requests under way at once. Default 8: half of the node's default work queue, so that others get a turn. */
  readonly maxInFlight?: number;
  /** Requests waiting for a turn. Default 1,024; beyond it the answer is `queue-full`. */
  readonly maxWaiting?: number;
  /** How long one call may go on trying to connect or to wait for a loading node. Default 10 s; 0 means one attempt. */
  readonly retryForMs?: number;
  /** Largest answer read. Default 64 MiB: a 32 MB block (Bitcoin Cash) as hexadecimal. */
  readonly maxResponseBytes?: number;
  /** Told of every failed attempt, also of those that a retry heals; for metrics. */
  readonly onAttemptFailed?: (error: NodeError) => void;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  /** False if repeating the call repeats its effect: it is then sent once, on a fresh connection. Default true. */
  readonly repeatable?: boolean;
}

const RPC_IN_WARMUP = -28;
const RPC_METHOD_NOT_FOUND = -32601;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const TRANSIENT: ReadonlySet<NodeErrorCode> = new Set(['unreachable', 'warming-up', 'node-busy', 'unauthorised']);

/**
 * JSON-RPC client of a Bitcoin node: bounded concurrency, a time limit per attempt, and retries with back-off while
 * the node can't be reached, is loading, is busy or has just written a new cookie. Answers are parsed exactly
 * (see json-exact.ts); nothing rejects.
 */
export class RpcClient {
  readonly #endpoint: RpcEndpoint;
  readonly #agent: http.Agent;
  readonly #gate: Gate;
  readonly #closing = new AbortController();
  #nextId = 1;

  constructor(private readonly options: RpcOptions) {
    this.#endpoint = rpcEndpoint(options);
    const maxSockets = options.maxInFlight ?? 8;
    this.#agent = new (this.#endpoint.tls ? https : http).Agent({ keepAlive: true, maxSockets });
    this.#gate = new Gate(maxSockets, options.maxWaiting ?? 1_024);
  }

  /** Requests under way or waiting. */
  get load(): number {
    return this.#gate.load;
  }

  /** Calls a method and returns its result as parsed JSON. */
  async call(method: string, params: readonly unknown[] = [], options: CallOptions = {}): Promise<NodeResult<unknown>> {
    const giveUpAt = Date.now() + (this.options.retryForMs ?? 10_000);
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal;
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const attempt = await this.#gate.run(() => this.#attempt(method, params, { ...options, signal }));
      if (!attempt) return fail(error('queue-full', method, 'too many requests are waiting for the Bitcoin node'));
      if (attempt.result.ok) return attempt.result;
      this.options.onAttemptFailed?.(attempt.result.error);
      const again = attempt.mayRepeat && TRANSIENT.has(attempt.result.error.code);
      if (!again || Date.now() + pauseMs > giveUpAt) return attempt.result;
      const woken = await sleep(pauseMs, true, { signal }).catch(() => false);
      if (!woken) return fail(error('aborted', method, 'the call was given up'));
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Ends waiting and running calls with `aborted` and closes all sockets. */
  close(): void {
    this.#closing.abort();
    this.#agent.destroy();
  }

  async #attempt(
    method: string,
    params: readonly unknown[],
    options: CallOptions,
  ): Promise<{ result: NodeResult<unknown>; mayRepeat: boolean }> {
    const repeatable = options.repeatable ?? true;
    const outcome = await post(this.#endpoint, {
      body: JSON.stringify({ jsonrpc: '1.0', id: this.#nextId++, method, params }),
      timeoutMs: options.timeoutMs ?? this.options.timeoutMs ?? 15_000,
      maxResponseBytes: this.options.maxResponseBytes ?? 64 * 1024 * 1024,
      agent: repeatable ? this.#agent : undefined,
      signal: options.signal,
    });
    return { result: understand(method, outcome), mayRepeat: repeatable || outcome.kind !== 'broken' };
  }
}

function understand(method: string, outcome: HttpOutcome): NodeResult<unknown> {
  switch (outcome.kind) {
    case 'answer':
      return understandAnswer(method, outcome.status, outcome.body);
    case 'not-sent':
    case 'broken':
      return fail(error('unreachable', method, `Bitcoin node not reachable: ${outcome.reason}`));
    case 'timeout':
      return fail(error('timeout', method, 'the Bitcoin node did not answer in time'));
    case 'too-large':
      return fail(error('malformed-response', method, 'the answer of the Bitcoin node is larger than allowed'));
    case 'no-credentials':
      return fail(error('unauthorised', method, outcome.reason));
    case 'aborted':
      return fail(error('aborted', method, 'the call was given up'));
  }
}

function understandAnswer(method: string, status: number, body: string): NodeResult<unknown> {
  if (status === 401 || status === 403) {
    return fail(error('unauthorised', method, `the Bitcoin node refused the credentials (HTTP ${status})`));
  }
  if (status === 503) return fail(error('node-busy', method, 'the work queue of the Bitcoin node is full'));
  let parsed: unknown;
  try {
    parsed = parseJsonExact(body);
  } catch {
    return fail(error('malformed-response', method, `HTTP ${status} without a JSON body`));
  }
  if (typeof parsed !== 'object' || parsed === null || !('result' in parsed || 'error' in parsed)) {
    return fail(error('malformed-response', method, 'the answer is no JSON-RPC response'));
  }
  const { result, error: rpcError } = parsed as { result?: unknown; error?: unknown };
  return rpcError === null || rpcError === undefined ? succeed(result) : fail(understandRpcError(method, rpcError));
}

function understandRpcError(method: string, rpcError: unknown): NodeError {
  const { code, message } = rpcError as { code?: unknown; message?: unknown };
  const rpcCode = typeof code === 'number' ? code : 0;
  const text = typeof message === 'string' ? message : 'no message';
  if (rpcCode === RPC_IN_WARMUP) return { ...error('warming-up', method, text), rpcCode };
  if (rpcCode === RPC_METHOD_NOT_FOUND) return { ...error('unsupported', method, text), rpcCode };
  return { ...error('rpc', method, text), rpcCode };
}

const error = (code: NodeErrorCode, method: string, message: string): NodeError => ({ code, method, message });
