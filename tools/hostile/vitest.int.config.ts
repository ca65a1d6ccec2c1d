import { integration } from '../../vitest.base.js';

/** The short form of the hostile suite, against a fleet of its own. */
export default integration(import.meta.url, { testTimeout: 300_000 });
