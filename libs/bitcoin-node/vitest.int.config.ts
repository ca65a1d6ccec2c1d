import { base } from '../../vitest.base.js';

/** The compliance suite against a real regtest node: `BTC_RPC` (and `BTC_ZMQ`) of the environment, else one it brings. */
export default base({
  include: ['src/**/*.int.spec.ts'],
  globalSetup: ['src/testing/bring-node.ts'],
  fileParallelism: false,
  testTimeout: 30_000,
  hookTimeout: 120_000,
});
