import { z } from 'zod';
import { PROBLEM_CODES } from './problem.js';

/** A problem document (RFC 9457). */
export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(PROBLEM_CODES).meta({ description: 'what programs go by; the words around it may change' }),
  detail: z.string(),
  requestId: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

export const PROBLEM_TYPE = 'application/problem+json';
/** Where the OpenAPI document keeps the schema. */
export const PROBLEM_REFERENCE = '#/components/schemas/Problem';
