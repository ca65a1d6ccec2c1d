import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiCookieAuth, ApiOperation, ApiProduces, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import { RequiresScope, type Access } from '../access/scope.js';
import { PROBLEM_REFERENCE, PROBLEM_TYPE } from './problem-schema.js';

export interface EndpointOptions {
  readonly summary: string;
  /** The scope a key must have; `any` needs any valid key, `public` none. */
  readonly access: Access;
  /** The answer. Absent where it is not JSON. */
  readonly answer?: z.ZodType;
  readonly status?: number;
  /** Statuses of the refusals besides 400, 401, 403 and 429. */
  readonly refusals?: readonly number[];
  /** Content types of the answer; JSON where it does not say. */
  readonly produces?: string | readonly string[];
}

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'The request does not fit its schema',
  401: 'A valid API key is needed',
  403: 'The API key lacks a scope',
  404: 'Not found',
  406: 'Nothing here is what the client takes',
  409: 'Conflict',
  412: 'Changed since it was read',
  413: 'The body is too large',
  415: 'The content type is not supported',
  422: 'Understood, but not possible',
  429: 'Too many requests',
  503: 'What is asked for is not available now',
};

function answerOf({ answer, status }: EndpointOptions): object {
  if (status === 204) return {};
  return answer === undefined ? { schema: { type: 'string', format: 'binary' } } : { standardSchema: answer };
}

const problemResponse = (status: number | 'default', description: string): MethodDecorator =>
  ApiResponse({ status, description, content: { [PROBLEM_TYPE]: { schema: { $ref: PROBLEM_REFERENCE } } } });

/** What every endpoint declares: who may use it, and what the OpenAPI document says of it. */
export function Endpoint(options: EndpointOptions): MethodDecorator {
  const refusals = [400, 429, ...(options.access === 'public' ? [] : [401, 403]), ...(options.refusals ?? [])];
  const produced = [options.produces ?? 'application/json'].flat();
  return applyDecorators(
    RequiresScope(options.access),
    ApiOperation({ summary: options.summary }),
    ApiProduces(...produced),
    ApiResponse({
      status: options.status ?? 200,
      description: 'Done',
      ...answerOf(options),
    }),
    ...refusals.map((status) => problemResponse(status, REFUSALS[status] ?? 'Refused')),
    problemResponse('default', 'Refused, or failed: what can befall any request'),
    ...(options.access === 'public' ? [] : [ApiBearerAuth(), ApiCookieAuth()]),
  );
}
