import { HttpException } from '@nestjs/common';

/** Why the API refused a request: the `code` of its problem document (RFC 9457). Programs branch on it. */
export type ProblemCode =
  /** A parameter or field is missing, unknown, of the wrong type or out of its range. */
  | 'validation-failed'
  /** The body is not what its content type says: not JSON, or cut short. */
  | 'body-malformed'
  /** Arrays and objects of the body lie deeper in each other than anything here does. */
  | 'body-too-deep'
  /** The body is larger than this endpoint takes. */
  | 'body-too-large'
  /** The endpoint does not take this content type. */
  | 'unsupported-media-type'
  /** The endpoint gives nothing that the Accept header takes; `produces` says what it gives. */
  | 'not-acceptable'
  /** No API key or session, or one that is unknown, revoked or has ended. */
  | 'unauthenticated'
  /** The key lacks the scope this endpoint needs. */
  | 'scope-missing'
  /** A write came with a session's cookie, but not from a page of this server. */
  | 'cross-site'
  /** More requests than one address or key is allowed. */
  | 'rate-limited'
  /** Too many failed sign-ins from this address; `waitS` says how long to wait. */
  | 'sign-in-locked'
  /** The thing has another version than the If-Match header names; `version` is the present one. */
  | 'precondition-failed'
  /** The Idempotency-Key came with another request before. */
  | 'idempotency-key-reused'
  /** The first request with this Idempotency-Key is being worked on, or ended without an answer. */
  | 'idempotency-unanswered'
  /** No such endpoint. */
  | 'not-found'
  /** The endpoint exists, but not with this method; `allowed` and the Allow header say with which. */
  | 'method-not-allowed'
  /** What came is not HTTP that can be read; the connection is closed. */
  | 'request-malformed'
  /** Address and headers are larger than is read; the connection is closed. */
  | 'headers-too-large'
  /** Headers or body did not arrive in time; the connection is closed. */
  | 'request-timeout'
  /** The fleet has no torrent with this infohash. */
  | 'torrent-not-found'
  /** There is no channel with this id. */
  | 'channel-not-found'
  /** A channel that was never funded has nothing to close; it lapses by itself. */
  | 'channel-unfunded'
  /** The channel has ended for good. */
  | 'channel-over'
  /** There is no node with this id. */
  | 'node-not-found'
  /** There is no API key with this id. */
  | 'api-key-not-found'
  /** The torrent, or a file that it holds, was taken down; `hash` says by which hash. */
  | 'taken-down'
  /** No takedown of this hash is in force. */
  | 'takedown-not-found'
  /** The last key that may manage keys can't be revoked. */
  | 'last-admin-key'
  /** The key has been revoked or has expired: nothing can take its place. */
  | 'api-key-ended'
  /** There is no webhook with this id. */
  | 'webhook-not-found'
  /** The webhook has no delivery with this id. */
  | 'delivery-not-found'
  /** There are as many webhooks as there may be. */
  | 'too-many-webhooks'
  /** The webhook's address is private, and not among those that are allowed. */
  | 'webhook-address-refused'
  /** The .torrent file can't be used; `reason` is the parser's code. */
  | 'metainfo-invalid'
  /** The path is not below a folder from which torrents may be made. */
  | 'content-outside-roots'
  /** No torrent can be made of what is there; `reason` is the code. */
  | 'content-unusable'
  /** No torrent is or was made under this id. */
  | 'making-not-found'
  /** It is made, has failed or was called off already. */
  | 'making-over'
  /** The terms could never be settled or would never be accepted; the detail says why. */
  | 'offer-invalid'
  /** More torrents fit than one edit may change; `most` is the limit. */
  | 'selection-too-large'
  /** There is no quality tier of this name. */
  | 'tier-not-found'
  /** Torrents have this tier, or it is the one that torrents get. */
  | 'tier-in-use'
  /** There are as many of them as there may be. */
  | 'too-many'
  /** More is asked than can be answered now; Retry-After says when to ask again. Nothing was done. */
  | 'overloaded'
  /** A server this service needs does not answer; the request may be repeated. */
  | 'unavailable'
  /** A fault of ours; the log has it under the same request id. */
  | 'internal';

const TITLES: Readonly<Record<ProblemCode, string>> = {
  'validation-failed': 'The request does not fit its schema',
  'body-malformed': 'The body cannot be read',
  'body-too-deep': 'The body is nested too deep',
  'body-too-large': 'The body is too large',
  'unsupported-media-type': 'The content type is not supported',
  'not-acceptable': 'Nothing here is what the client takes',
  unauthenticated: 'A valid API key is needed',
  'scope-missing': 'The API key lacks a scope',
  'cross-site': 'The request comes from another site',
  'rate-limited': 'Too many requests',
  'sign-in-locked': 'Too many failed sign-ins',
  'precondition-failed': 'It has changed since it was read',
  'idempotency-key-reused': 'The Idempotency-Key was used for another request',
  'idempotency-unanswered': 'The first request has no answer yet',
  'not-found': 'No such endpoint',
  'method-not-allowed': 'The endpoint does not have this method',
  'request-malformed': 'The request cannot be read',
  'headers-too-large': 'The headers are too large',
  'request-timeout': 'The request took too long to arrive',
  'torrent-not-found': 'No such torrent',
  'channel-not-found': 'No such channel',
  'channel-unfunded': 'The channel was never funded',
  'channel-over': 'The channel is over',
  'node-not-found': 'No such node',
  'api-key-not-found': 'No such API key',
  'taken-down': 'It was taken down',
  'takedown-not-found': 'No such takedown',
  'last-admin-key': 'The last administrator key stays',
  'api-key-ended': 'The key has ended',
  'webhook-not-found': 'No such webhook',
  'delivery-not-found': 'No such delivery',
  'too-many-webhooks': 'Too many webhooks',
  'webhook-address-refused': 'The address is not public',
  'metainfo-invalid': 'The torrent file cannot be used',
  'content-outside-roots': 'The path is not below a content root',
  'content-unusable': 'No torrent can be made of it',
  'making-not-found': 'No such making',
  'making-over': 'It is over',
  'offer-invalid': 'The offer cannot be used',
  'selection-too-large': 'Too many torrents at once',
  'tier-not-found': 'No such quality tier',
  'tier-in-use': 'The quality tier is in use',
  'too-many': 'There are too many already',
  overloaded: 'Too much is asked at once',
  unavailable: 'A needed server does not answer',
  internal: 'Internal error',
};

export const PROBLEM_CODES = Object.keys(TITLES) as readonly ProblemCode[];

/** One complaint about one field. */
export interface FieldIssue {
  /** Path of the field, parts joined by dots; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** A problem document as it is sent. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly requestId?: string;
  readonly errors?: readonly FieldIssue[];
  readonly [extension: string]: unknown;
}

/** A refusal with a code, thrown anywhere below a controller and sent by the problem filter. */
export class Problem extends HttpException {
  constructor(
    status: number,
    readonly code: ProblemCode,
    readonly detail: string,
    /** Further members of the document, for programs. */
    readonly extensions: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail, status);
  }

  document(requestId?: string): ProblemDocument {
    return {
      ...this.extensions,
      type: `urn:seedfleet:problem:${this.code}`,
      title: TITLES[this.code],
      status: this.getStatus(),
      code: this.code,
      detail: this.detail,
      ...(requestId === undefined ? {} : { requestId }),
    };
  }
}

/** More complaints than this tell nobody more. */
const MAX_ISSUES = 50;
const MAX_MESSAGE_LENGTH = 300;

/** A complaint of a schema, as Standard Schema gives it. */
interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The refusal of a request that does not fit its schema. */
export function validationProblem(issues: readonly SchemaIssue[]): Problem {
  const errors: FieldIssue[] = issues.slice(0, MAX_ISSUES).map((issue) => ({
    path: (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message: issue.message.slice(0, MAX_MESSAGE_LENGTH),
  }));
  const first = errors[0];
  const detail =
    first === undefined ? 'invalid' : first.path === '' ? first.message : `${first.path}: ${first.message}`;
  return new Problem(400, 'validation-failed', detail, { errors });
}
