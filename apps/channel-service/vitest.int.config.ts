import { onServers } from '../../vitest.base.js';

/** The service as processes on real servers. */
export default onServers(import.meta.url, { testTimeout: 90_000 });
