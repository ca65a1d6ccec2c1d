/** Why a question to the Bitcoin node has no answer. The node's own refusals of a transaction are outcomes, not errors. */
export type NodeErrorCode =
  /** No connection: refused, reset, unresolvable, or closed before the answer, after all retries. */
  | 'unreachable'
  /** The answer did not come within the request's time limit. */
  | 'timeout'
  /** The node refused user name and password, or the cookie file could not be read. */
  | 'unauthorised'
  /** The node is still loading (RPC error -28) and was so for the whole time we were ready to wait. */
  | 'warming-up'
  /** The node's own work queue is full (HTTP 503) and stayed so over all retries. */
  | 'node-busy'
  /** Our own queue of waiting requests is full: the caller asks faster than the node answers. */
  | 'queue-full'
  /** The caller gave up, or the client was closed. */
  | 'aborted'
  /** The node does not know this method: an older or a different implementation. */
  | 'unsupported'
  /** The node holds no such block, because it was pruned or has not arrived. */
  | 'block-unavailable'
  /** The node answered with an RPC error that this library gives no meaning of its own. */
  | 'rpc'
  /** The answer is not JSON, is too large, or lacks a field that this library needs. */
  | 'malformed-response';

/** A failure of the link to the node, as data for logs and decisions. */
export interface NodeError {
  readonly code: NodeErrorCode;
  /** RPC method that was called. */
  readonly method: string;
  /** One sentence for people; never holds credentials. */
  readonly message: string;
  /** JSON-RPC error code of the node, where there was one. */
  readonly rpcCode?: number;
}

/** An answer or the reason why there is none. */
export type NodeResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: NodeError };

/** Wraps a value as a successful result. */
export const succeed = <T>(value: T): NodeResult<T> => ({ ok: true, value });

/** Wraps an error as a failed result. */
export const fail = <T>(error: NodeError): NodeResult<T> => ({ ok: false, error });
