import { createHash } from 'node:crypto';
import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import type { Request, Response } from 'express';
import { catchError, concatMap, from, of, throwError, type Observable } from 'rxjs';
import { credentialOf } from '../access/principal.js';
import { isSafe } from '../access/same-origin.js';
import { Problem, validationProblem } from './problem.js';
import { repeatableWrite, RepeatableWrites, type RepeatableWrite } from './repeatable-writes.js';

const KEY = /^[\x21-\x7e]{1,200}$/;
/** Headers of the first answer that a repetition gives again. */
const KEPT_HEADERS = ['location', 'etag'] as const;

/**
 * Lets a client repeat a write of which it does not know how it ended: with the same Idempotency-Key, credential and
 * request, the first answer is given again and nothing is done twice. A refused write is forgotten, since it changed
 * nothing; one whose process died in between stays unanswered, because only a person can see whether it was done.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly writes: RepeatableWrites,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<Request>();
    const key = request.headers['idempotency-key'];
    const credential = credentialOf(request);
    // Without a credential there is nothing to tell one client's key from another's.
    if (key === undefined || isSafe(request.method) || credential === undefined) return next.handle();
    if (typeof key !== 'string' || !KEY.test(key)) {
      throw validationProblem([{ message: 'Idempotency-Key must be 1 to 200 printable characters', path: [] }]);
    }
    const response = context.switchToHttp().getResponse<Response>();
    const write = repeatableWrite(credential, key, describe(request));
    return from(this.writes.claim(write)).pipe(
      concatMap((claim) => {
        switch (claim.kind) {
          case 'first':
            return this.make(write, response, next);
          case 'answered':
            response.status(claim.answer.status).set({ ...claim.answer.headers, 'Idempotent-Replayed': 'true' });
            return of(claim.answer.body);
          case 'other-request':
            throw new Problem(422, 'idempotency-key-reused', 'this Idempotency-Key came with another request before');
          case 'unanswered':
            throw new Problem(
              409,
              'idempotency-unanswered',
              'the first request with this Idempotency-Key has no answer yet; if that stays so, look whether it was done',
            );
        }
      }),
    );
  }

  private make(write: RepeatableWrite, response: Response, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      concatMap(async (body: unknown) => {
        const headers = Object.fromEntries(
          KEPT_HEADERS.flatMap((name) => {
            const value = response.getHeader(name);
            return value === undefined ? [] : [[name, String(value)]];
          }),
        );
        await this.writes.answer(write, { status: response.statusCode, headers, body });
        return body;
      }),
      catchError((failure: unknown) => {
        // A fault of ours may have come after the change was stored: then the write stays unanswered.
        if (!(failure instanceof Problem)) return throwError(() => failure);
        return from(this.forget(write)).pipe(concatMap(() => throwError(() => failure)));
      }),
    );
  }

  private async forget(write: RepeatableWrite): Promise<void> {
    try {
      await this.writes.release(write);
    } catch (failure) {
      this.logger.warn({ failure: String(failure) }, 'a refused write could not be forgotten');
    }
  }
}

/** What must be the same for a repetition to be one. */
function describe(request: Request): string {
  const body: unknown = request.body;
  const bytes = Buffer.isBuffer(body) ? body : JSON.stringify(body ?? null);
  return `${request.method} ${request.originalUrl} ${createHash('sha256').update(bytes).digest('hex')}`;
}
