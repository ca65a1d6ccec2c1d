// Applies missing migrations to DATABASE_URL.
import { deployMigrations } from '../dist/index.js';

const url = process.env.DATABASE_URL;
if (!url) {
  console.error('DATABASE_URL is not set');
  process.exit(78);
}
const applied = await deployMigrations(url);
console.log(applied.length === 0 ? 'nothing to migrate' : `applied ${applied.join(', ')}`);
process.exit(0);
