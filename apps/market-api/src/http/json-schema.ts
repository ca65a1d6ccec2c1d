import type { ApiResponseSchemaHost } from '@nestjs/swagger';
import { z } from 'zod';

/** JSON Schema of a zod schema, in the dialect of OpenAPI 3.1. */
export function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): ApiResponseSchemaHost['schema'] {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
  });
  // Swagger's types describe OpenAPI 3.0; at run time the schema is carried as it is.
  return rest as ApiResponseSchemaHost['schema'];
}
