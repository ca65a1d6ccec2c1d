import { createHash } from 'node:crypto';
import {
  applyDecorators,
  Injectable,
  SetMetadata,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiHeader } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { map, type Observable } from 'rxjs';
import { Problem } from './problem.js';

/**
 * Entity tags of things with versions: `"v7.…"`, the version and a digest of the whole answer. A reader that sends the tag
 * back as If-None-Match gets 304 while nothing it would see has changed; a writer that sends it as If-Match is refused
 * when somebody else made another version meanwhile (RFC 9110, section 13).
 */

const VERSION_METADATA = 'seedfleet:version';
type VersionOf = (answer: object) => number;

/** How many characters of the digest: enough to tell answers of one version apart. */
const DIGEST_LENGTH = 16;
const TAG = /^"v(\d{1,9})(?:\.[\w-]{1,64})?"$/;

/** Gives the answer an entity tag. */
export function Versioned<T extends object>(versionOf: (answer: T) => number): MethodDecorator {
  return applyDecorators(SetMetadata(VERSION_METADATA, versionOf as VersionOf), UseInterceptors(EntityTags));
}

/** A write that may carry If-Match. */
export function Conditional(): MethodDecorator {
  return ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'the ETag that was read: refused with 412 when the thing has changed since',
    schema: { type: 'string' },
  });
}

@Injectable()
export class EntityTags implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const versionOf = this.reflector.get<VersionOf | undefined>(VERSION_METADATA, context.getHandler());
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(
      map((answer: object) => {
        if (versionOf !== undefined) {
          const digest = createHash('sha256').update(JSON.stringify(answer)).digest('base64url');
          response.set('ETag', `"v${versionOf(answer)}.${digest.slice(0, DIGEST_LENGTH)}"`);
        }
        return answer;
      }),
    );
  }
}

/** The versions that a write with If-Match may replace; undefined where it may replace any. */
export function versionsToMatch(request: Request): readonly number[] | undefined {
  const header = request.headers['if-match'];
  if (header === undefined || header.trim() === '*') return undefined;
  return header.split(',').flatMap((tag) => {
    const match = TAG.exec(tag.trim());
    return match === null ? [] : [Number(match[1])];
  });
}

/** Throws `precondition-failed` when the version is not one that the write was made for. */
export function requireVersion(wanted: readonly number[] | undefined, version: number): void {
  if (wanted === undefined || wanted.includes(version)) return;
  throw new Problem(412, 'precondition-failed', `it has changed since: it is at version ${version} now`, { version });
}
