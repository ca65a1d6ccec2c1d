/** Where deliveries keep their time, and whom they may call. */
export interface WebhookSettings {
  /** Undefined: nothing is delivered by this process. */
  readonly redisUrl: string | undefined;
  readonly fleetId: string;
  /** Private networks that webhooks may call nevertheless, in CIDR form. */
  readonly networks: readonly string[];
}

export const WEBHOOK_SETTINGS = Symbol('webhook settings');
