import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { Problem } from '../http/problem.js';
import { TokenBuckets, type RateLimit } from '../http/token-bucket.js';
import { principalOf } from './principal.js';
import { SCOPE_METADATA, type Scope } from './scope.js';

/** One address reading the public market: a page every tenth of a second for ever, a hundred at once. */
export const PUBLIC_RATE: RateLimit = { perSecond: 10, burst: 100 };
const MAX_ADDRESSES = 50_000;

/** Lets a request reach its route only with the scope the route declares; public routes are limited per address. */
@Injectable()
export class ScopeGuard implements CanActivate {
  private readonly buckets = new TokenBuckets(PUBLIC_RATE, MAX_ADDRESSES);

  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<Request>();
    const needed = this.reflector.get<Scope | 'public' | undefined>(SCOPE_METADATA, context.getHandler());
    const principal = principalOf(request);
    if (needed === 'public') {
      if (principal === undefined) this.limit(request, context.switchToHttp().getResponse<Response>());
      return true;
    }
    // /health and /metrics are declared by the service kit; everything of this API lies below /v1.
    if (needed === undefined && !request.path.startsWith('/v1/')) return true;
    if (principal === undefined) {
      context.switchToHttp().getResponse<Response>().set('WWW-Authenticate', 'Bearer');
      throw new Problem(401, 'unauthenticated', 'send a valid API key as "Authorization: Bearer KEY"');
    }
    if (needed === undefined || !principal.scopes.includes(needed)) {
      throw new Problem(403, 'scope-missing', `the key needs the scope "${needed ?? 'undeclared'}"`, {
        scope: needed ?? null,
      });
    }
    return true;
  }

  private limit(request: Request, response: Response): void {
    const waitMs = this.buckets.take(request.socket.remoteAddress ?? 'unknown', Date.now());
    if (waitMs === 0) return;
    response.set('Retry-After', String(Math.ceil(waitMs / 1_000)));
    throw new Problem(429, 'rate-limited', 'too many requests from this address; use an API key or wait');
  }
}
