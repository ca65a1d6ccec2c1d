import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** Networks in CIDR form, separated by commas. */
export const networks = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
  .refine((parts) => parts.every((part) => ipaddr.isValidCIDR(part)), 'must be networks as 10.0.0.0/8, by commas');
