import { onServers } from '../../vitest.base.js';

/** The service as a process on real servers. */
export default onServers(import.meta.url, { testTimeout: 40_000 });
