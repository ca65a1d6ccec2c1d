import { fileURLToPath } from 'node:url';
import { base } from '../../vitest.base.js';

/** The HTTP and bus contracts on a real Postgres and broker, and the dashboard in a real Chromium. */
export default {
  ...base({
    include: ['src/**/*.int.spec.ts'],
    globalSetup: ['src/testing/bring-servers.ts'],
    passWithNoTests: false,
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  }),
  // Not the working directory, so that it may be started from anywhere.
  root: fileURLToPath(new URL('./', import.meta.url)),
};
