import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { decodeCursor, pageOf, pageQuery, toPage } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem, validationProblem } from '../http/problem.js';
import { noQuery, timeText } from '../http/schemas.js';
import { ApiKeyRepository, stateOf, type ApiKeyRecord } from './api-key.repository.js';
import { newApiKey } from './key-text.js';
import { actorOf } from './principal.js';
import { SCOPES } from './scope.js';

const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  createdAt: timeText,
  revokedAt: timeText.nullable(),
  expiresAt: timeText.nullable().meta({ description: 'null: never' }),
  lastUsedAt: timeText.nullable().meta({ description: 'to the minute; null: never' }),
  state: z.enum(['active', 'revoked', 'expired']),
});
const listKeysQuery = z.strictObject({ ...pageQuery, state: z.enum(['active', 'revoked', 'expired']).optional() });
const newKeyBody = z.strictObject({
  name: z
    .string()
    .max(80)
    .regex(/^\P{C}*[^\s\p{C}]\P{C}*$/u, 'must be printable and not blank'),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  expiresAt: z.iso.datetime({ offset: true }).nullable().default(null).meta({ description: 'null: never' }),
});
const withMade = 'also every key that was made with it, and with those, as the audit log has it';
const revokeQuery = z.strictObject({ made: z.stringbool().default(false).meta({ description: withMade }) });
const rotateBody = z.strictObject({ made: z.boolean().default(false).meta({ description: withMade }) });
const keyIdParam = z.strictObject({ id: z.uuid() });

@ApiTags('API keys')
@Controller('v1/api-keys')
export class ApiKeyController {
  constructor(private readonly keys: ApiKeyRepository) {}

  @Get()
  @Endpoint({ summary: 'List API keys, newest first', access: 'money', answer: pageOf(keySchema) })
  async list(@Query({ schema: listKeysQuery }) { state, cursor, limit }: z.output<typeof listKeysQuery>) {
    const rows = await this.keys.list(state, decodeCursor(cursor, z.uuid()), limit);
    return toPage(rows, limit, ({ at, id }) => ({ at, key: id }), keyView);
  }

  @Post()
  @Endpoint({
    summary: 'Make an API key; the answer is the only place it is ever shown',
    access: 'money',
    status: 201,
    answer: keySchema.extend({ key: z.string() }),
  })
  async create(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: newKeyBody }) { name, scopes, expiresAt: expiry }: z.output<typeof newKeyBody>,
    @Req() request: Request,
  ) {
    const expiresAt = expiry === null ? null : new Date(expiry);
    if (expiresAt !== null && expiresAt.getTime() <= Date.now()) {
      throw validationProblem([{ message: 'must lie in the future', path: ['expiresAt'] }]);
    }
    const { id, text, hash } = newApiKey();
    const wanted = [...new Set(scopes)];
    const fact = {
      actor: actorOf(request),
      action: 'api-key.create',
      target: id,
      data: { name, scopes: wanted, expiresAt: expiry },
    };
    return { ...keyView(await this.keys.add({ id, hash, name, scopes: wanted, expiresAt }, fact)), key: text };
  }

  @Post(':id/rotate')
  @Endpoint({
    summary: 'Put a new API key of the same rights in the place of one, which ends at once',
    access: 'money',
    status: 201,
    answer: keySchema.extend({ key: z.string(), revoked: z.array(z.string()) }),
    refusals: [404, 409],
  })
  async rotate(
    @Param({ schema: keyIdParam }) { id }: z.output<typeof keyIdParam>,
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: rotateBody }) { made }: z.output<typeof rotateBody>,
    @Req() request: Request,
  ) {
    const { id: freshId, text, hash } = newApiKey();
    const outcome = await this.keys.rotate(id, made, { id: freshId, hash }, actorOf(request));
    if (outcome === 'unknown') throw new Problem(404, 'api-key-not-found', `there is no API key ${id}`);
    if (outcome === 'ended') throw new Problem(409, 'api-key-ended', 'the key has been revoked or has expired');
    return { ...keyView(outcome.key), key: text, revoked: [...outcome.revoked] };
  }

  @Delete(':id')
  @HttpCode(204)
  @Endpoint({ summary: 'Revoke an API key', access: 'money', status: 204, refusals: [404, 409] })
  async revoke(
    @Param({ schema: keyIdParam }) { id }: z.output<typeof keyIdParam>,
    @Query({ schema: revokeQuery }) { made }: z.output<typeof revokeQuery>,
    @Req() request: Request,
  ): Promise<void> {
    const outcome = await this.keys.revoke(id, made, actorOf(request));
    if (outcome === 'unknown') throw new Problem(404, 'api-key-not-found', `there is no API key ${id}`);
    if (outcome === 'last') throw new Problem(409, 'last-admin-key', 'make another key with the scope "money" first');
  }
}

function keyView(record: ApiKeyRecord) {
  return {
    id: record.id,
    name: record.name,
    scopes: [...record.scopes],
    createdAt: record.createdAt.toISOString(),
    revokedAt: record.revokedAt?.toISOString() ?? null,
    expiresAt: record.expiresAt?.toISOString() ?? null,
    lastUsedAt: record.lastUsedAt?.toISOString() ?? null,
    state: stateOf(record),
  };
}
