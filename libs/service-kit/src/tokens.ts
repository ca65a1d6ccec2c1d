/** Injection token of the service's logger (a pino `Logger`). */
export const LOGGER = Symbol('logger');
