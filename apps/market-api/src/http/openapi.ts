import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { toJsonSchema } from './json-schema.js';

/** The OpenAPI 3.1 document of the API, from the schemas that also validate. */
export function openApiDocument(app: INestApplication): object {
  const about = new DocumentBuilder()
    .setTitle('Seedfleet market API')
    .setDescription(
      'Torrents, prices, channels and revenue of a paid-seeding fleet. Satoshi are decimal strings. ' +
        'Errors are problem documents (RFC 9457) with a `code`. Lists are paged by `cursor`.',
    )
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'an API key, sfk_…' })
    .build();
  const document = SwaggerModule.createDocument(app, about, {
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? { schema: toJsonSchema(schema, schemaType) } : undefined,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  return { ...document, openapi: '3.1.0' };
}
