import type { ApiResponseSchemaHost } from '@nestjs/swagger';
import { z } from 'zod';

/** JSON Schema of a zod schema, in the dialect of OpenAPI 3.1. */
export function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): ApiResponseSchemaHost['schema'] {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.pattern === undefined) return;
      const pattern = portable(jsonSchema.pattern);
      if (pattern === undefined) delete jsonSchema.pattern;
      else jsonSchema.pattern = pattern;
    },
  });
  // Swagger's types describe OpenAPI 3.0; at run time the schema is carried as it is.
  return rest as ApiResponseSchemaHost['schema'];
}

/**
 * A pattern as tools of other languages can read it too: classes of characters by name (`\p{L}`) are not in all of them, and one
 * such pattern makes them refuse the whole document. Undefined where it can't be said without; then only the endpoint knows.
 */
function portable(pattern: string): string | undefined {
  const spelled = pattern.replaceAll('\\P{Cc}', '[^\\u0000-\\u001f\\u007f-\\u009f]');
  return /\\p\{/i.test(spelled) ? undefined : spelled;
}
