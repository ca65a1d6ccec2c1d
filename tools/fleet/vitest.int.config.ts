import { base } from '../../vitest.base.js';

/** Specs that bring real servers, some in processes of their own: they run the compiled code. */
export default base({
  include: ['src/**/*.int.spec.ts'],
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
});
