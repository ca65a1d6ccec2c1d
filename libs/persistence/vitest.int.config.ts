import { onServers } from '../../vitest.base.js';

/** Specs on a real database. */
export default onServers(import.meta.url);
