import { fileURLToPath } from 'node:url';
import { base } from '../../vitest.base.js';

/** Checks that need a program which may have to be brought first. */
export default base({
  root: fileURLToPath(new URL('./', import.meta.url)),
  include: ['src/**/*.int.spec.ts'],
  testTimeout: 300_000,
});
