import { commonConfig } from '@seedfleet/service-kit';
import { z } from 'zod';

/** What this service reads from its environment besides what every service does. */
export const marketApiConfig = commonConfig.extend({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  /** Where the first administrator key is written on the first start; only its hash is in the database. */
  API_KEY_FILE: z.string().min(1),
});

export type MarketApiConfig = z.output<typeof marketApiConfig>;
