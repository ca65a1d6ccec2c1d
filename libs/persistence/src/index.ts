export * from './client.js';
export { SessionLease, type LeaseName } from './lease.js';
export { createMigration, deployMigrations, deployRoles, grantRoles, type RolePasswords } from './migrate.js';
export { relayOutbox, type OutboxMessage, type OutboxOwner } from './outbox.js';
export * from './retention.js';
