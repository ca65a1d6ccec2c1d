import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { toJsonSchema } from './json-schema.js';

/** The OpenAPI 3.1 document of the API, from the schemas that also validate. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const about = new DocumentBuilder()
    .setTitle('Seedfleet market API')
    .setDescription(
      'Torrents, prices, channels and revenue of a paid-seeding fleet. Satoshi are decimal strings. ' +
        'Errors are problem documents (RFC 9457) with a `code`. Lists are paged by `cursor`. Writes may carry an ' +
        '`Idempotency-Key`: repeated with the same request, they give their first answer again for a day.',
    )
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'an API key, sfk_…' })
    .addCookieAuth('seedfleet_session', { type: 'apiKey', in: 'cookie', description: 'set by signing in' })
    .build();
  const document = SwaggerModule.createDocument(app, about, {
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? { schema: toJsonSchema(schema, schemaType) } : undefined,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  for (const operations of Object.values(document.paths)) {
    for (const method of WRITES) {
      const operation = operations[method];
      if (operation?.security !== undefined) addIdempotency(operation);
    }
  }
  return { ...document, openapi: '3.1.0' };
}

const WRITES = ['post', 'put', 'patch', 'delete'] as const;

type Operation = NonNullable<OpenAPIObject['paths'][string][(typeof WRITES)[number]]>;

/** What every write with a credential understands and may answer because of it. */
function addIdempotency(operation: Operation): void {
  const problem = operation.responses['400'];
  operation.parameters = [
    ...(operation.parameters ?? []),
    {
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description: 'chosen by the client, one per write: lets it repeat the request safely',
      schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,200}$' },
    },
  ];
  for (const [status, description] of [
    ['409', 'Conflict, or the first request with this Idempotency-Key has no answer yet'],
    ['422', 'Understood, but not possible; or the Idempotency-Key came with another request'],
  ] as const) {
    const known = operation.responses[status];
    if (known === undefined && problem !== undefined) operation.responses[status] = { ...problem, description };
  }
}
