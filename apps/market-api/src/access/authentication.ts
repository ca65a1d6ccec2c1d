import type { NextFunction, Request, Response } from 'express';
import type { ApiKeyRepository } from './api-key.repository.js';
import { bearerKey } from './key-text.js';
import { setPrincipal, type Principal } from './principal.js';
import { isSafe, isSameOrigin } from './same-origin.js';
import { sessionToken } from './session-cookie.js';
import { crossSite } from './session.controller.js';
import type { SessionRepository } from './session.repository.js';

/**
 * Finds out whose key or session a request carries, before its body is read: only a known one may send a large body.
 * Whether it suffices is decided per route by the scope guard. A key in the header counts before a cookie; writes that
 * come with a cookie must come from our own page.
 */
export function authentication(keys: ApiKeyRepository, sessions: SessionRepository) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    const { authorization } = request.headers;
    const text = bearerKey(authorization);
    const token = authorization === undefined ? sessionToken(request) : undefined;
    if (text !== undefined) identify(request, text, keys.authenticate(text), next);
    else if (token === undefined) next();
    else if (!isSafe(request.method) && !isSameOrigin(request) && !isSignIn(request)) next(crossSite());
    else identify(request, token, sessions.authenticate(token), next);
  };
}

/** Signing in needs no session, so an old cookie must not stand in its way. */
function isSignIn({ method, path }: Request): boolean {
  return method === 'POST' && path === '/v1/session';
}

function identify(request: Request, credential: string, found: Promise<Principal | undefined>, next: NextFunction) {
  found
    .then((principal) => {
      if (principal !== undefined) setPrincipal(request, principal, credential);
      next();
    })
    .catch(next);
}
