import { z } from 'zod';
import { code } from './codecs.js';
import { defineStream } from './contract.js';

/** Messages that some service refused, with the reason. Kept for a person to look at; the counter raises the alert. */
export const PARKED = defineStream({
  stream: 'PARKED',
  subject: 'parked.*',
  owner: 'channel-service',
  readBy: ['channel-service'],
  maxAgeHours: 7 * 24,
  maxBytes: 64 * 1024 * 1024,
  payload: z.object({
    code,
    subject: z.string().max(200),
    detail: z.string().max(500),
    message: z.string().max(20_000),
  }),
});
