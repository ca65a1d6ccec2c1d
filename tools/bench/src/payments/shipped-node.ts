import type { Bus } from '@seedfleet/bus';
import { policyWith } from '@seedfleet/policy';
import { createLogger, createRegistry, type Logger, type Registry } from '@seedfleet/service-kit';

/** The part of the node that is measured: apps/swarm-node, `payments/payments.ts`. */
export interface NodePayments {
  start(): void;
  pay(channelId: string, k: number, signature: Uint8Array): void;
  close(timeoutMs: number): Promise<boolean>;
}

interface PaymentsParts {
  readonly nodeId: string;
  readonly bus: Pick<Bus, 'store' | 'subscribe'>;
  readonly policy: ReturnType<typeof policyWith>;
  readonly logger: Logger;
  readonly metrics: object;
  readonly nowMs: () => number;
  readonly openChannels: { readonly ids: readonly string[]; add(id: string): void; remove(id: string): void };
  readonly onStored: (channelId: string, k: number) => void;
  readonly onWatermark: (partition: number) => void;
}

const NODE = new URL('../../../../apps/swarm-node/dist/', import.meta.url);

/**
 * The node's own publisher of payments, not a copy of it. Apps are programs that nothing imports, so it is loaded as
 * programs are: by its file.
 */
export async function shippedPayments(
  nodeId: string,
  bus: Pick<Bus, 'store' | 'subscribe'>,
  onStored: (channelId: string, k: number) => void,
): Promise<NodePayments> {
  const { Payments } = (await import(new URL('payments/payments.js', NODE).href)) as {
    Payments: new (parts: PaymentsParts) => NodePayments;
  };
  const { NodeMetrics } = (await import(new URL('metrics/node-metrics.js', NODE).href)) as {
    NodeMetrics: new (registry: Registry) => object;
  };
  return new Payments({
    nodeId,
    bus,
    policy: policyWith(),
    logger: createLogger('bench', 'error'),
    metrics: new NodeMetrics(createRegistry('bench')),
    nowMs: () => performance.now(),
    // The journal is written when channels begin and end, which these don't.
    openChannels: { ids: [], add: () => undefined, remove: () => undefined },
    onStored,
    onWatermark: () => undefined,
  });
}
