import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { toJsonSchema } from './json-schema.js';
import { PROBLEM_REFERENCE, PROBLEM_TYPE, problemSchema } from './problem-schema.js';

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
    .addServer('/')
    .addSecurity('bearer', { type: 'http', scheme: 'bearer', description: 'an API key, sfk_…' })
    .addCookieAuth('seedfleet_session', { type: 'apiKey', in: 'cookie', description: 'set by signing in' });
  for (const [name, description] of Object.entries(TAGS)) about.addTag(name, description);
  const document = SwaggerModule.createDocument(app, about.build(), {
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? { schema: toJsonSchema(schema, schemaType) } : undefined,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  for (const operations of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = operations[method];
      if (operation === undefined) continue;
      if (method !== 'get' && operation.security !== undefined) addIdempotency(operation);
      // Says that no credential is needed, where nothing would say that nobody has thought of it.
      operation.security ??= [];
      giveBytes(operation);
    }
  }
  return {
    ...document,
    openapi: '3.1.0',
    paths: { ...document.paths, ...OPERATIONS },
    components: {
      ...document.components,
      schemas: { ...document.components?.schemas, Problem: toJsonSchema(problemSchema, 'output') },
    },
  };
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

type Operation = NonNullable<OpenAPIObject['paths'][string][(typeof METHODS)[number]]>;

/** What each part of the API is for. */
const TAGS = {
  torrents: 'what is on sale, and making torrents of files',
  offers: 'prices, and changing many at once',
  tiers: 'quality tiers and their multipliers',
  takedowns: 'content that may not be sold any more',
  demand: 'what buyers bid, and prices that follow from it',
  'public market': 'what anybody may see without a key',
  reports: 'revenue, costs and profit, and exports of them',
  revenue: 'the figures behind the figures',
  overview: 'how the fleet stands now, and alerts',
  channels: 'payment channels, and their stories',
  treasury: 'sweeps of what was earned',
  nodes: 'swarm nodes',
  placement: 'which node has which torrent',
  fleet: 'what is known of the fleet as a whole',
  events: 'what happens, as it happens',
  webhooks: 'events sent to addresses of yours',
  'API keys': 'credentials of programs',
  sessions: 'signing in to the dashboard',
  settings: 'cost rates',
  audit: 'who changed what',
  operations: 'for orchestrators and monitoring',
};

const problem = {
  description: 'Refused, or failed',
  content: { [PROBLEM_TYPE]: { schema: { $ref: PROBLEM_REFERENCE } } },
};

const health = (status: string, description: string) => ({
  description,
  content: {
    'application/json': {
      schema: { type: 'object', required: ['status'], properties: { status: { type: 'string', enum: [status] } } },
    },
  },
});

/** Every service has these; they are not of the market, and say nothing of themselves. */
const OPERATIONS: OpenAPIObject['paths'] = {
  '/health': {
    get: {
      operationId: 'Operations_getHealth',
      summary: 'Whether the service and what it needs are well',
      tags: ['operations'],
      security: [],
      responses: {
        200: health('ok', 'All is well'),
        503: health('unavailable', 'Something that is needed is not well; `checks` says what'),
        default: problem,
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'Operations_getMetrics',
      summary: 'Metrics in the text format of Prometheus',
      tags: ['operations'],
      security: [],
      responses: {
        200: { description: 'Every metric', content: { 'text/plain': { schema: { type: 'string' } } } },
        default: problem,
      },
    },
  },
};

/** Only JSON has the shape that is declared: any other type is the bytes of a file. */
function giveBytes({ requestBody }: Operation): void {
  if (requestBody === undefined || !('content' in requestBody)) return;
  for (const [type, body] of Object.entries(requestBody.content)) {
    if (type !== 'application/json') body.schema = { type: 'string', format: 'binary' };
  }
}

/** What every write with a credential understands and may answer because of it. */
function addIdempotency(operation: Operation): void {
  const refused = operation.responses['400'];
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
    if (known === undefined && refused !== undefined) operation.responses[status] = { ...refused, description };
  }
}
