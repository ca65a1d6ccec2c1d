import type { chainFileOrder } from '@seedfleet/bus';
import type { z } from 'zod';

export type Standing = z.output<typeof chainFileOrder.reply>;
export type HeldOrder = NonNullable<Standing['fleet']>;
export type SentOrder = NonNullable<HeldOrder['sent']>;

/** What follows from how an order stands, once the last settlement is filed in place of the checkpoint. */
export type OrderVerdict =
  /** Nobody holds another transaction any more: the settlement may be sent. */
  | { readonly kind: 'go' }
  /** Somebody sent another one already: it is the settlement. */
  | { readonly kind: 'sent'; readonly sent: SentOrder }
  /** Somebody holds a version as high: it has to be filed anew, above this one. */
  | { readonly kind: 'file-above'; readonly version: number }
  /** The tower has not acknowledged. */
  | { readonly kind: 'unacknowledged' };

/** @param hasTower whether the fleet has one, and it therefore has to acknowledge. */
export function orderVerdict(
  filed: { readonly version: number; readonly txid: string },
  { fleet, tower }: Pick<Standing, 'fleet' | 'tower'>,
  hasTower: boolean,
): OrderVerdict {
  for (const held of [fleet, tower]) {
    if (held === null || held.sent === null) continue;
    return held.sent.txid === filed.txid ? { kind: 'go' } : { kind: 'sent', sent: held.sent };
  }
  const highest = Math.max(fleet?.version ?? 0, tower?.version ?? 0);
  const holds = (held: HeldOrder | null): boolean =>
    held !== null && held.version === filed.version && held.txid === filed.txid && held.state === 'waiting';
  if (highest > filed.version || !holds(fleet)) return { kind: 'file-above', version: highest };
  if (!hasTower || holds(tower)) return { kind: 'go' };
  return tower !== null && tower.version === filed.version
    ? { kind: 'file-above', version: highest }
    : { kind: 'unacknowledged' };
}
