import type { Logger } from '@seedfleet/service-kit';
import type { ChainMetrics } from '../metrics.js';
import type { Filed, PassedOrder } from './dated-orders.js';

/** A fleet has forgotten a payment, or is none: a person should know. */
export function noteRefusal(
  { id: orderId, version, txid }: Pick<PassedOrder, 'id' | 'version' | 'txid'>,
  filed: Filed,
  metrics: Pick<ChainMetrics, 'ordersRefused'>,
  logger: Logger,
): void {
  if (filed === 'taken' || filed === 'known') return;
  metrics.ordersRefused.inc({ code: filed });
  logger.warn({ orderId, version, txid, code: filed }, 'an order pays less than the one that is held, which is kept');
}
