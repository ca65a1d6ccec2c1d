import { randomUUID } from 'node:crypto';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { actorOf } from '../access/principal.js';
import { toIdPage } from '../http/cursor.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { noQuery } from '../http/schemas.js';
import { Conditional, Versioned, versionsToMatch } from '../http/versioned.js';
import { literalAddress, mayCall } from '@seedfleet/service-kit';
import { DeliveryRepository } from './delivery.repository.js';
import { WEBHOOK_SETTINGS, type WebhookSettings } from './settings.js';
import { newWebhookSecret } from './signature.js';
import { WebhookRepository } from './webhook.repository.js';
import {
  changeWebhookBody,
  deliveryIdParam,
  deliveryPage,
  deliverySchema,
  listDeliveriesQuery,
  MAX_WEBHOOKS,
  newWebhookBody,
  webhookIdParam,
  webhookList,
  webhookSchema,
  type ChangeWebhookBody,
  type WebhookView,
} from './webhook.schemas.js';
import { deliveryView, webhookView } from './webhook.views.js';

type IdParam = z.output<typeof webhookIdParam>;

@ApiTags('webhooks')
@Controller('v1/webhooks')
export class WebhookController {
  constructor(
    private readonly hooks: WebhookRepository,
    private readonly deliveries: DeliveryRepository,
    @Inject(WEBHOOK_SETTINGS) private readonly settings: WebhookSettings,
  ) {}

  @Get()
  @Endpoint({ summary: 'List webhooks', access: 'read', answer: webhookList })
  async list(@Query({ schema: noQuery }) _query: object): Promise<{ items: WebhookView[] }> {
    const [rows, counts] = await Promise.all([this.hooks.list(), this.deliveries.counts()]);
    return { items: rows.map((row) => webhookView(row, counts.get(row.id))) };
  }

  @Post()
  @Endpoint({
    summary: 'Have an address told of events; the answer is the only place where its secret is ever shown',
    access: 'operate',
    status: 201,
    answer: webhookSchema.extend({ secret: z.string() }),
    refusals: [409, 422],
  })
  async create(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: newWebhookBody }) { url, kinds, description }: z.output<typeof newWebhookBody>,
    @Req() request: Request,
  ) {
    this.judge(url);
    const [id, secret] = [randomUUID(), newWebhookSecret()];
    const fact = { actor: actorOf(request), action: 'webhook.create', target: id, data: { url, kinds } };
    const hook = { id, url, kinds, description, secret: new Uint8Array(Buffer.from(secret)) };
    const row = await this.hooks.add(hook, fact);
    if (row === null) throw new Problem(409, 'too-many-webhooks', `there may be at most ${MAX_WEBHOOKS} webhooks`);
    return { ...webhookView(row, undefined), secret };
  }

  @Get(':id')
  @Endpoint({ summary: 'A webhook', access: 'read', answer: webhookSchema, refusals: [404] })
  @Versioned<WebhookView>(({ version }) => version)
  async get(@Param({ schema: webhookIdParam }) { id }: IdParam, @Query({ schema: noQuery }) _query: object) {
    const row = await this.hooks.find(id);
    if (row === null) throw notFound(id);
    return webhookView(row, (await this.deliveries.counts()).get(id));
  }

  @Patch(':id')
  @Endpoint({
    summary: 'Change, pause or resume a webhook; what is due of a paused one waits',
    access: 'operate',
    answer: webhookSchema,
    refusals: [404, 412, 422],
  })
  @Conditional()
  @Versioned<WebhookView>(({ version }) => version)
  async change(
    @Param({ schema: webhookIdParam }) { id }: IdParam,
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: changeWebhookBody }) change: ChangeWebhookBody,
    @Req() request: Request,
  ) {
    if (change.url !== undefined) this.judge(change.url);
    const data = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    const fact = { actor: actorOf(request), action: 'webhook.change', target: id, data };
    const row = await this.hooks.change(id, change, versionsToMatch(request), fact);
    if (row === null) throw notFound(id);
    return webhookView(row, (await this.deliveries.counts()).get(id));
  }

  @Delete(':id')
  @HttpCode(204)
  @Endpoint({ summary: 'Remove a webhook with its deliveries', access: 'operate', status: 204, refusals: [404] })
  async remove(
    @Param({ schema: webhookIdParam }) { id }: IdParam,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: Request,
  ): Promise<void> {
    const fact = { actor: actorOf(request), action: 'webhook.remove', target: id };
    if (!(await this.hooks.remove(id, fact))) throw notFound(id);
  }

  @Post(':id/test')
  @Endpoint({
    summary: 'Send a test to a webhook',
    access: 'operate',
    status: 201,
    answer: deliverySchema,
    refusals: [404],
  })
  async test(
    @Param({ schema: webhookIdParam }) { id }: IdParam,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: Request,
  ) {
    if ((await this.hooks.find(id)) === null) throw notFound(id);
    const at = new Date().toISOString();
    const body = JSON.stringify({ id: null, kind: 'webhook.test', subject: id, data: {}, at });
    const fact = { actor: actorOf(request), action: 'webhook.test', target: id };
    return deliveryView(await this.deliveries.addTest(id, body, fact));
  }

  @Get(':id/deliveries')
  @Endpoint({
    summary: 'What was and will be delivered, newest first',
    access: 'read',
    answer: deliveryPage,
    refusals: [404],
  })
  async log(
    @Param({ schema: webhookIdParam }) { id }: IdParam,
    @Query({ schema: listDeliveriesQuery }) { cursor, limit, state }: z.output<typeof listDeliveriesQuery>,
  ) {
    if ((await this.hooks.find(id)) === null) throw notFound(id);
    const rows = await this.deliveries.list(id, state, cursor === undefined ? undefined : BigInt(cursor), limit);
    return toIdPage(rows, limit, deliveryView);
  }

  @Post(':id/deliveries/:deliveryId/redeliver')
  @Endpoint({
    summary: 'Deliver once more, byte for byte the same',
    access: 'operate',
    status: 201,
    answer: deliverySchema,
    refusals: [404],
  })
  async redeliver(
    @Param({ schema: deliveryIdParam }) { id, deliveryId }: z.output<typeof deliveryIdParam>,
    @Query({ schema: noQuery }) _query: object,
    @Req() request: Request,
  ) {
    const fact = { actor: actorOf(request), action: 'webhook.redeliver', target: id, data: { deliveryId } };
    const row = await this.deliveries.redeliver(id, BigInt(deliveryId), fact);
    if (row === null) throw new Problem(404, 'delivery-not-found', `webhook ${id} has no delivery ${deliveryId}`);
    return deliveryView(row);
  }

  /** Names are judged by their addresses at each delivery; an address in the URL can be judged at once. */
  private judge(url: string): void {
    const literal = literalAddress(new URL(url).hostname);
    if (literal !== undefined && !mayCall(literal, this.settings.networks)) {
      throw new Problem(
        422,
        'webhook-address-refused',
        `${literal} is not a public address; WEBHOOK_NETWORKS allows more`,
      );
    }
  }
}

function notFound(id: string): Problem {
  return new Problem(404, 'webhook-not-found', `there is no webhook ${id}`);
}
