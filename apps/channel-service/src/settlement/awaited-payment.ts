import { DEFAULT_RULES } from '@seedfleet/channel-lifecycle';

/** How long payments are awaited that the node may have taken and we have not, after a channel has closed. */
export const AWAITED_PAYMENT_SECONDS = DEFAULT_RULES.awaitedPaymentMs / 1_000;
