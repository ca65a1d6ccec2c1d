export * from './client.js';
export { FencedLease, fencedUrl, type FencedLeaseEvents, type FencedLeaseTimes } from './fenced-lease.js';
export { SessionLease, type LeaseName } from './lease.js';
export { createMigration, deployMigrations } from './migrate.js';
export { relayOutbox, type OutboxMessage, type OutboxOwner } from './outbox.js';
export * from './retention.js';
export { deployRoles, grantRoles, type RolePasswords } from './roles.js';
export { limitOf, Statements } from './statements.js';
