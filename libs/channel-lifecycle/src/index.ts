export * from './deadline.js';
export * from './life.js';
export * from './lifecycle.js';
export * from './next-action.js';
export * from './settle-decision.js';
export * from './states.js';
