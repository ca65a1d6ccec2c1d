import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { CookieOptions, Request, Response } from 'express';

/**
 * The cookie of a signed-in browser. Scripts can't read it (httpOnly), other sites can't make the browser send it
 * (SameSite=Strict), and it goes to the API only. `Secure` wherever the request came over TLS.
 */
const NAME = 'seedfleet_session';
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
/** 256 bits: not to be guessed, so a plain hash stores it. */
const TOKEN_BYTES = 32;

/** A fresh session: its token goes into the cookie, the database keeps id and hash. */
export function newSession(): { id: string; token: string; hash: Uint8Array<ArrayBuffer> } {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  return { id: randomUUID(), token, hash: hashToken(token) };
}

/** SHA-256 of the token. */
export function hashToken(token: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(token).digest());
}

/** The token of a request's cookie, or undefined when there is none or it can't be one of ours. */
export function sessionToken(request: Request): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === NAME && value !== undefined && TOKEN.test(value)) return value;
  }
  return undefined;
}

export function setSessionCookie(request: Request, response: Response, token: string, endsAt: Date): void {
  response.cookie(NAME, token, { ...options(request), expires: endsAt });
}

export function clearSessionCookie(request: Request, response: Response): void {
  response.clearCookie(NAME, options(request));
}

function options(request: Request): CookieOptions {
  return { httpOnly: true, sameSite: 'strict', secure: request.secure, path: '/v1' };
}
