import { Body, Controller, Delete, Get, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { noQuery, timeText } from '../http/schemas.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { clientAddress } from './client-address.js';
import { isApiKeyText } from './key-text.js';
import { actorOf, principalOf } from './principal.js';
import { isSameOrigin } from './same-origin.js';
import { SCOPES } from './scope.js';
import { clearSessionCookie, newSession, setSessionCookie } from './session-cookie.js';
import { SESSION_MAX_MS, SessionRepository } from './session.repository.js';
import { SignInLock } from './sign-in-lock.js';

const signInBody = z.strictObject({ key: z.string().max(200).meta({ description: 'an API key, sfk_…' }) });
const whoSchema = z.object({
  keyId: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  /** Null where the request came with a key instead of a session. */
  session: z.object({ id: z.string() }).nullable(),
});

/** Sessions of the dashboard: a browser trades a key for a cookie that no script can read. */
@ApiTags('sessions')
@Controller('v1/session')
export class SessionController {
  constructor(
    private readonly keys: ApiKeyRepository,
    private readonly sessions: SessionRepository,
    private readonly lock: SignInLock,
  ) {}

  @Post()
  @Endpoint({
    summary: 'Sign in with an API key; the answer sets a cookie',
    access: 'public',
    status: 201,
    answer: whoSchema.extend({ endsAt: timeText }),
    refusals: [401, 403],
  })
  async signIn(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: signInBody }) { key }: z.output<typeof signInBody>,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    if (request.headers.origin !== undefined && !isSameOrigin(request)) throw crossSite();
    const address = clientAddress(request);
    const waitS = await this.lock.waitSeconds(address);
    if (waitS > 0) {
      response.set('Retry-After', String(waitS));
      throw new Problem(429, 'sign-in-locked', `too many failed sign-ins; try again in ${waitS} s`, { waitS });
    }
    const principal = isApiKeyText(key) ? await this.keys.authenticate(key) : undefined;
    if (principal === undefined) {
      await this.lock.failed(address);
      throw new Problem(401, 'unauthenticated', 'the fleet does not know this key');
    }
    await this.lock.succeeded(address);
    const { id, token, hash } = newSession();
    const { keyId, name, scopes } = principal;
    const endsAt = new Date(Date.now() + SESSION_MAX_MS);
    const fact = { actor: `key:${keyId}`, action: 'session.open', target: id, data: { address } };
    await this.sessions.open({ id, hash, keyId, endsAt }, fact);
    setSessionCookie(request, response, token, endsAt);
    return { keyId, name, scopes: [...scopes], session: { id }, endsAt: endsAt.toISOString() };
  }

  @Get()
  @Endpoint({ summary: 'Who is asking, and what they may do', access: 'any', answer: whoSchema })
  who(@Query({ schema: noQuery }) _query: object, @Req() request: Request) {
    const principal = principalOf(request);
    // The guard lets nobody else in.
    if (principal === undefined) throw new Problem(401, 'unauthenticated', 'sign in first');
    const { keyId, name, scopes, sessionId } = principal;
    return { keyId, name, scopes: [...scopes], session: sessionId === undefined ? null : { id: sessionId } };
  }

  @Delete()
  @HttpCode(204)
  @Endpoint({ summary: 'Sign out: the session ends everywhere', access: 'any', status: 204 })
  async signOut(
    @Query({ schema: noQuery }) _query: object,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    const id = principalOf(request)?.sessionId;
    if (id !== undefined) await this.sessions.end(id, { actor: actorOf(request), action: 'session.end', target: id });
    clearSessionCookie(request, response);
  }
}

export function crossSite(): Problem {
  return new Problem(403, 'cross-site', 'a signed-in browser may change things only from a page of this server');
}
