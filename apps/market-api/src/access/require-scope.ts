import type { Request } from 'express';
import { Problem } from '../http/problem.js';
import { principalOf } from './principal.js';
import type { Scope } from './scope.js';

/** For a part of a request that needs more than its endpoint does. Throws `scope-missing`. */
export function requireScope(request: Request, scope: Scope): void {
  if (principalOf(request)?.scopes.includes(scope) === true) return;
  throw new Problem(403, 'scope-missing', `the key needs the scope "${scope}"`, { scope });
}
