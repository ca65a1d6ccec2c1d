import type { redisTls } from '@seedfleet/service-kit';

/** Where deliveries keep their time, and whom they may call. */
export interface WebhookSettings {
  /** Undefined: nothing is delivered by this process. */
  readonly redisUrl: string | undefined;
  /** Certificates for it, where it is reached over TLS. */
  readonly redisTls?: ReturnType<typeof redisTls>;
  readonly fleetId: string;
  /** Private networks that webhooks may call nevertheless, in CIDR form. */
  readonly networks: readonly string[];
}

export const WEBHOOK_SETTINGS = Symbol('webhook settings');
