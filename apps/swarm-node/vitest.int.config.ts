import { onServers } from '../../vitest.base.js';

/** Whole nodes on a real broker. */
export default onServers(import.meta.url, { testTimeout: 20_000 });
