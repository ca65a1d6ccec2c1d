import type { HostileBuyer } from '../hostile-buyer.js';
import { FLOODS } from './floods.js';
import { FUNDING } from './funding.js';
import { PAYING } from './paying.js';
import { REQUESTS } from './requests.js';
import { TALKING } from './talking.js';

/** The twenty hostile buyers. */
export const HOSTILE_BUYERS: readonly HostileBuyer[] = [...FUNDING, ...PAYING, ...REQUESTS, ...TALKING, ...FLOODS];
