import { expect } from 'vitest';
import type { z } from 'zod';

/** Expects an answer to have exactly the members its schema documents, and returns it typed. */
export function expectShape<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.parse(body);
  expect(body).toEqual(parsed);
  return parsed;
}
