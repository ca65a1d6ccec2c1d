import { z } from 'zod';

/** The operations of an OpenAPI document, with requests made up from their schemas. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required?: boolean;
  readonly schema?: Schema;
}

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface DocumentedAnswer {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface RawOperation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly responses: Readonly<Record<string, DocumentedAnswer>>;
}

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export interface Operation extends RawOperation {
  readonly method: Method;
  readonly path: string;
  readonly open: boolean;
  readonly body: Schema | undefined;
}

export function operationsOf(document: OpenApi): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => ({
      ...raw,
      method: method as Method,
      path,
      open: (raw.security ?? []).length === 0,
      body: resolve(document, raw.requestBody?.content['application/json']?.schema),
    })),
  );
}

/** Follows one reference. */
export function resolve(document: OpenApi, schema: Schema | undefined): Schema | undefined {
  if (schema?.$ref === undefined) return schema;
  const found = document.components?.schemas?.[schema.$ref.replace('#/components/schemas/', '')];
  if (found === undefined) throw new Error(`${schema.$ref} leads nowhere`);
  return found;
}

/** What came back, as far as a document speaks of it. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

const checks = new WeakMap<Schema, z.ZodType>();

function checkOf(schema: Schema): z.ZodType {
  const check = checks.get(schema) ?? z.fromJSONSchema(schema as never);
  checks.set(schema, check);
  return check;
}

/** What of an answer the document does not announce; undefined where it is as documented. */
export function unannounced(document: OpenApi, operation: Operation, answer: Answer): string | undefined {
  const documented = operation.responses[String(answer.status)] ?? operation.responses['default'];
  if (documented === undefined) return `status ${answer.status}`;
  const type = answer.headers['content-type']?.split(';')[0];
  const { content } = documented;
  if (content === undefined) return answer.text === '' ? undefined : `a body with status ${answer.status}`;
  const { schema } = content[type ?? ''] ?? {};
  if (schema === undefined) return `${type} with status ${answer.status}`;
  if (type?.endsWith('json') !== true) return undefined;
  const parsed = checkOf(resolve(document, schema) ?? {}).safeParse(JSON.parse(answer.text));
  return parsed.success ? undefined : `what ${answer.text.slice(0, 500)} has: ${z.prettifyError(parsed.error)}`;
}

/** Ids that are well-formed and of nothing. */
const TEXTS = [
  'f'.repeat(40),
  '00000000-0000-4000-8000-000000000000',
  '987654321',
  'nobody',
  'revenueSat',
  '2026-01-31',
  '2026-01-31T00:00:00.000Z',
  '/nowhere/x',
  'https://books.example/hook',
  'e'.repeat(64),
  '1.5',
  'channel.settled',
  '16384',
  `sfk_${'x'.repeat(43)}`,
  'AAAA',
];

/** Something that fits a schema, as small as can be; nothing that would change much. */
export function fitting(document: OpenApi, given: Schema | undefined): unknown {
  const schema = resolve(document, given) ?? {};
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const choice = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choice !== undefined) return fitting(document, choice[0]);
  switch (schema.type) {
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return schema.minimum ?? (schema.exclusiveMinimum ?? 0) + 1;
    case 'array':
      return (schema.minItems ?? 0) > 0 ? [fitting(document, schema.items)] : [];
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, fitting(document, schema.properties?.[name])]),
      );
    default:
      return TEXTS.find((text) => fits(schema, text)) ?? 'x'.repeat(schema.minLength ?? 1);
  }
}

function fits({ pattern, format, minLength = 0, maxLength = Infinity }: Schema, text: string): boolean {
  if (text.length < minLength || text.length > maxLength) return false;
  if (format === 'uuid' && text.length !== 36) return false;
  if (format === 'date-time' && !text.endsWith('Z')) return false;
  if (format === 'uri' && !text.startsWith('https:')) return false;
  return pattern === undefined || new RegExp(pattern, 'u').test(text);
}

/** The JSON types that a schema lets through; undefined where it does not say. */
export function typesOf(document: OpenApi, given: Schema | undefined): ReadonlySet<string> | undefined {
  const schema = resolve(document, given) ?? {};
  const choice = schema.anyOf ?? schema.oneOf;
  if (choice !== undefined) {
    const sets = choice.map((each) => typesOf(document, each));
    return sets.includes(undefined) ? undefined : new Set(sets.flatMap((set) => [...(set ?? [])]));
  }
  if (schema.const !== undefined) return new Set([typeof schema.const]);
  if (schema.type === undefined) return undefined;
  return new Set([schema.type === 'integer' ? 'number' : schema.type]);
}
