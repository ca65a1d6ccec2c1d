import { base } from '../../vitest.base.js';

/** Specs that trade with a whole fleet, which is brought once; the compiled services are run. */
export default base({
  include: ['src/**/*.int.spec.ts'],
  globalSetup: ['src/testing/bring-fleet.ts'],
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 120_000,
});
