import { fileURLToPath } from 'node:url';
import { base } from '../../vitest.base.js';

/** The compliance suite on a real regtest node: TEST_BTC_RPC (and TEST_BTC_ZMQ), else one that the fleet's tool brings. */
export default {
  ...base({
    include: ['src/**/*.int.spec.ts'],
    globalSetup: ['src/testing/bring-node.ts'],
    passWithNoTests: false,
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  }),
  // Not the working directory, so that it may be started from anywhere.
  root: fileURLToPath(new URL('./', import.meta.url)),
};
