import type { Request } from 'express';
import type { Scope } from './scope.js';

/** Who makes a request: the key it came with. */
export interface Principal {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

const principals = new WeakMap<Request, Principal>();

export function setPrincipal(request: Request, principal: Principal): void {
  principals.set(request, principal);
}

export function principalOf(request: Request): Principal | undefined {
  return principals.get(request);
}

/** How a principal is written in the audit log. */
export function actorOf(request: Request): string {
  const principal = principals.get(request);
  return principal === undefined ? 'nobody' : `key:${principal.keyId}`;
}
