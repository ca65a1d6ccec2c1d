import type { Request } from 'express';
import type { Scope } from './scope.js';

/** Who makes a request: the key it came with, or the key that the browser's session was opened with. */
export interface Principal {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The session, where the request came with its cookie. */
  readonly sessionId?: string;
}

interface Identified {
  readonly principal: Principal;
  /** The secret that the request came with: the key, or the cookie's token. Never stored, never logged. */
  readonly credential: string;
}

const identified = new WeakMap<Request, Identified>();

export function setPrincipal(request: Request, principal: Principal, credential: string): void {
  identified.set(request, { principal, credential });
}

export function principalOf(request: Request): Principal | undefined {
  return identified.get(request)?.principal;
}

export function credentialOf(request: Request): string | undefined {
  return identified.get(request)?.credential;
}

/** How a principal is written in the audit log. */
export function actorOf(request: Request): string {
  const principal = principalOf(request);
  return principal === undefined ? 'nobody' : `key:${principal.keyId}`;
}
