import { integration } from '../../vitest.base.js';

/** Specs that bring real servers, some in processes of their own: they run the compiled code. */
export default integration(import.meta.url, { testTimeout: 120_000 });
