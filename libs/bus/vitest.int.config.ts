import { onServers } from '../../vitest.base.js';

/** Specs on a real broker. */
export default onServers(import.meta.url);
