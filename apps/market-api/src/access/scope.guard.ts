import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { Problem } from '../http/problem.js';
import { TokenBuckets, type RateLimit } from '../http/token-bucket.js';
import { clientAddress } from './client-address.js';
import { principalOf } from './principal.js';
import { SCOPE_METADATA, type Access } from './scope.js';

/** One address without a key: a page every tenth of a second for ever, a hundred at once. */
export const PUBLIC_RATE: RateLimit = { perSecond: 10, burst: 100 };
/** One key: far more than any tool needs, and less than what two cores can answer for long. */
export const KEY_RATE: RateLimit = { perSecond: 500, burst: 2_000 };
const MAX_ADDRESSES = 50_000;
const MAX_KEYS = 5_000;

/** Lets a request reach its route only within its rate and with the scope that the route declares. */
@Injectable()
export class ScopeGuard implements CanActivate {
  private readonly addresses = new TokenBuckets(PUBLIC_RATE, MAX_ADDRESSES);
  private readonly keys = new TokenBuckets(KEY_RATE, MAX_KEYS);

  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<Request>();
    const needed = this.reflector.get<Access | undefined>(SCOPE_METADATA, context.getHandler());
    // /health and /metrics are declared by the service kit; everything of this API lies below /v1.
    if (needed === undefined && !request.path.startsWith('/v1/')) return true;
    const response = context.switchToHttp().getResponse<Response>();
    const principal = principalOf(request);
    if (principal === undefined) limit(this.addresses, PUBLIC_RATE, clientAddress(request), response);
    else limit(this.keys, KEY_RATE, principal.keyId, response);
    if (needed === 'public') return true;
    if (principal === undefined) {
      response.set('WWW-Authenticate', 'Bearer');
      throw new Problem(401, 'unauthenticated', 'send a valid API key as "Authorization: Bearer KEY", or sign in');
    }
    if (needed === 'any') return true;
    if (needed === undefined || !principal.scopes.includes(needed)) {
      throw new Problem(403, 'scope-missing', `the key needs the scope "${needed ?? 'undeclared'}"`, {
        scope: needed ?? null,
      });
    }
    return true;
  }
}

/** Says with every answer how much is left, as `RateLimit-*` headers. */
function limit(buckets: TokenBuckets, rate: RateLimit, key: string, response: Response): void {
  const { waitMs, remaining } = buckets.take(key, Date.now());
  response.set({
    'RateLimit-Limit': String(rate.burst),
    'RateLimit-Remaining': String(remaining),
    'RateLimit-Reset': String(Math.ceil((rate.burst - remaining) / rate.perSecond)),
  });
  if (waitMs === 0) return;
  response.set('Retry-After', String(Math.ceil(waitMs / 1_000)));
  throw new Problem(429, 'rate-limited', 'too many requests; wait, or slow down');
}
