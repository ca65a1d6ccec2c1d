export * from './accounts.js';
export * from './balances.js';
export * from './figures.js';
export * from './posting.js';
