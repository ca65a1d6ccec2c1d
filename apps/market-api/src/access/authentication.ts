import type { NextFunction, Request, Response } from 'express';
import type { ApiKeyRepository } from './api-key.repository.js';
import { bearerKey } from './key-text.js';
import { setPrincipal } from './principal.js';

/**
 * Finds out whose key a request carries, before its body is read: only a known key may send a large body. Whether the
 * key suffices is decided per route by the scope guard.
 */
export function authentication(keys: ApiKeyRepository) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    const text = bearerKey(request.headers.authorization);
    if (text === undefined) return next();
    keys
      .authenticate(text)
      .then((principal) => {
        if (principal !== undefined) setPrincipal(request, principal);
        next();
      })
      .catch(next);
  };
}
