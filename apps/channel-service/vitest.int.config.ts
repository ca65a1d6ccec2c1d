import { fileURLToPath } from 'node:url';
import { base } from '../../vitest.base.js';

/**
 * The service as processes on real servers: TEST_POSTGRES_URL, TEST_NATS_URL, TEST_REDIS_URL and TEST_BTC_RPC, else
 * its own.
 */
export default {
  ...base({
    include: ['src/**/*.int.spec.ts'],
    globalSetup: ['src/testing/bring-servers.ts'],
    passWithNoTests: false,
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 120_000,
  }),
  // Not the working directory, so that it may be started from anywhere.
  root: fileURLToPath(new URL('./', import.meta.url)),
};
