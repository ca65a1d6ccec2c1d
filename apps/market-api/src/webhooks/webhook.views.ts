import type { z } from 'zod';
import type { DeliveryRow } from './delivery.repository.js';
import type { WebhookRow } from './webhook.repository.js';
import type { deliverySchema, WebhookView } from './webhook.schemas.js';

/** How webhooks and deliveries look in answers. */

export function webhookView(
  { id, url, kinds, description, state, version, createdAt, updatedAt }: WebhookRow,
  counts: { readonly pending: number; readonly givenUp: number } | undefined,
): WebhookView {
  return {
    id,
    url,
    kinds,
    description,
    state: state as WebhookView['state'],
    version,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    pending: counts?.pending ?? 0,
    givenUp: counts?.givenUp ?? 0,
  };
}

export function deliveryView(row: DeliveryRow): z.output<typeof deliverySchema> {
  return {
    id: row.id.toString(),
    eventId: row.eventId?.toString() ?? null,
    kind: row.kind,
    state: row.state as 'pending' | 'delivered' | 'given-up',
    attempts: row.attempts,
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
    lastAttemptAt: row.lastAttemptAt?.toISOString() ?? null,
    lastStatus: row.lastStatus,
    lastProblem: row.lastProblem,
    body: row.body,
    createdAt: row.createdAt.toISOString(),
  };
}
