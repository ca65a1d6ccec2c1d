import { onServers } from '../../vitest.base.js';

/** The compliance suite on a real regtest node. */
export default onServers(import.meta.url);
