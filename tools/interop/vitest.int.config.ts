import { base } from '../../vitest.base.js';

/** Specs that trade with whole fleets of their own; one file, and so one fleet, at a time. */
export default base({
  include: ['src/**/*.int.spec.ts'],
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 120_000,
});
