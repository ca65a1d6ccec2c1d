import { integration } from '../../vitest.base.js';

/** Checks that need a program which may have to be brought first. */
export default integration(import.meta.url, { testTimeout: 300_000 });
