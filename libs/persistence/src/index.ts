export * from './client.js';
export { SessionLease, type LeaseName } from './lease.js';
export { createMigration, deployMigrations, deployRoles, grantRoles, type RolePasswords } from './migrate.js';
export { pruneOutbox, relayOutbox, type OutboxMessage, type OutboxOwner } from './outbox.js';
