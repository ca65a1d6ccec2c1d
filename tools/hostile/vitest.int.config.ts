import { fileURLToPath } from 'node:url';
import { base } from '../../vitest.base.js';

/** The short form of the hostile suite, against a fleet of its own. */
export default {
  ...base({
    include: ['src/**/*.int.spec.ts'],
    fileParallelism: false,
    passWithNoTests: false,
    testTimeout: 300_000,
    hookTimeout: 120_000,
  }),
  // Not the working directory, so that it may be started from anywhere.
  root: fileURLToPath(new URL('./', import.meta.url)),
};
