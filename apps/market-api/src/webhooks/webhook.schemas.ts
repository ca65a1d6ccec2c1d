import { z } from 'zod';
import { idCursor, pageOf, pageQuery } from '../http/cursor.js';
import { timeText } from '../http/schemas.js';
import { kindPatterns } from '../events/event-kinds.js';

/** An operator with more has another system for it. */
export const MAX_WEBHOOKS = 100;

const address = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .max(1_000)
  .refine((text) => {
    const { username, password, hash } = URL.canParse(text) ? new URL(text) : { username: 'x', password: '', hash: '' };
    return username === '' && password === '' && hash === '';
  }, 'must have neither user nor fragment');
const kinds = kindPatterns
  .refine((list) => new Set(list).size === list.length, 'must not repeat')
  .meta({ description: 'as `channel.settled` or `channel.*`; none: all' });
const description = z
  .string()
  .max(200)
  .regex(/^\P{C}*$/u, 'must be printable');

export const newWebhookBody = z.strictObject({
  url: address,
  kinds: kinds.default([]),
  description: description.default(''),
});
export const changeWebhookBody = z
  .strictObject({
    url: address.optional(),
    kinds: kinds.optional(),
    description: description.optional(),
    state: z.enum(['active', 'paused']).optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'nothing to change');
export type ChangeWebhookBody = z.output<typeof changeWebhookBody>;

export const webhookIdParam = z.strictObject({ id: z.uuid() });
export const deliveryIdParam = z.strictObject({ id: z.uuid(), deliveryId: z.string().regex(/^[1-9]\d{0,17}$/) });

export const webhookSchema = z.object({
  id: z.string(),
  url: z.string(),
  kinds: z.array(z.string()),
  description: z.string(),
  state: z.enum(['active', 'paused']),
  version: z.int(),
  createdAt: timeText,
  updatedAt: timeText,
  /** Deliveries that wait for their next attempt. */
  pending: z.int(),
  /** Deliveries given up in the last day. */
  givenUp: z.int(),
});
export type WebhookView = z.output<typeof webhookSchema>;
export const webhookList = z.object({ items: z.array(webhookSchema) });

const deliveryState = z.enum(['pending', 'delivered', 'given-up']);
export const listDeliveriesQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: idCursor,
  state: deliveryState.optional(),
});
export const deliverySchema = z.object({
  id: z.string(),
  eventId: z.string().nullable().meta({ description: 'null for a test' }),
  kind: z.string(),
  state: deliveryState,
  attempts: z.int(),
  nextAttemptAt: timeText.nullable(),
  lastAttemptAt: timeText.nullable(),
  lastStatus: z.int().nullable().meta({ description: 'HTTP status of the last answer' }),
  lastProblem: z.string().nullable().meta({ description: 'as `timeout`, `refused`, `address-refused`' }),
  body: z.string(),
  createdAt: timeText,
});
export const deliveryPage = pageOf(deliverySchema);
