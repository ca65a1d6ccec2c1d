// npm run migration -w @seedfleet/persistence -- NAME   (DATABASE_URL names a scratch Postgres)
import { createMigration } from '../dist/index.js';

const made = await createMigration(process.env.DATABASE_URL, process.argv[2] ?? 'migration');
console.log(made ?? 'no change');
process.exit(0);
