import { fileURLToPath } from 'node:url';
import { base } from '../../vitest.base.js';

/** Specs on a real broker: TEST_NATS_URL, else one that the fleet's tool brings. */
export default base({
  root: fileURLToPath(new URL('./', import.meta.url)),
  include: ['src/**/*.int.spec.ts'],
  globalSetup: ['src/testing/bring-broker.ts'],
  fileParallelism: false,
  testTimeout: 20_000,
  hookTimeout: 120_000,
});
