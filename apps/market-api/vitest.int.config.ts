import { onServers } from '../../vitest.base.js';

/** The HTTP and bus contracts on a real Postgres and broker, and the dashboard in a real Chromium. */
export default onServers(import.meta.url);
