import { integration } from '../../vitest.base.js';

/** The short form of each proof: whole fleets of compiled services, one at a time, each on servers of its own. */
export default integration(import.meta.url, { testTimeout: 300_000 });
