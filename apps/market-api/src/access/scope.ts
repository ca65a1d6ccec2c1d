import { SetMetadata } from '@nestjs/common';

/**
 * What a key may do.
 * - `read`: look at everything.
 * - `operate`: add, pause, resume and remove torrents; have webhooks called.
 * - `money`: set terms of sale, close channels, sweep what was earned to the operator's own wallet, and manage keys.
 */
export const SCOPES = ['read', 'operate', 'money'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who may use a route: holders of a scope, anybody with a valid key (`any`), or anybody at all (`public`). */
export type Access = Scope | 'any' | 'public';

export const SCOPE_METADATA = 'seedfleet:scope';

/** Which scope a route needs. A route without this declaration is refused, so that none is open by forgetting. */
export const RequiresScope = (access: Access) => SetMetadata(SCOPE_METADATA, access);

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
