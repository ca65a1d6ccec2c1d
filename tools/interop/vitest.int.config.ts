import { integration } from '../../vitest.base.js';

/** Specs that trade with a whole fleet, which is brought once; the compiled services are run. */
export default integration(import.meta.url, {
  globalSetup: ['src/testing/bring-fleet.ts'],
  testTimeout: 60_000,
});
