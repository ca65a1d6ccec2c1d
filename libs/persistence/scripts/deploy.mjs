// Applies missing migrations to DATABASE_URL (or what the file DATABASE_URL_FILE holds), as the owner of the database.
// With ROLE_PASSWORDS_FILE, a JSON object of the passwords of `chain`, `channel` and `market`, it also gives each service
// its own role; see prisma/roles.sql.
import { readFileSync } from 'node:fs';
import { deployMigrations, deployRoles } from '../dist/index.js';

const EXIT_CONFIG = 78;
const { DATABASE_URL_FILE: urlFile, DATABASE_CA_FILE: authority, ROLE_PASSWORDS_FILE: passwordsFile } = process.env;
const given = urlFile ? readFileSync(urlFile, 'utf8').trim() : process.env.DATABASE_URL;
if (!given) {
  console.error('DATABASE_URL is not set');
  process.exit(EXIT_CONFIG);
}
const url = new URL(given);
if (authority) {
  url.searchParams.set('sslmode', 'verify-full');
  url.searchParams.set('sslrootcert', authority);
}
const applied = await deployMigrations(url.href);
console.log(applied.length === 0 ? 'nothing to migrate' : `applied ${applied.join(', ')}`);
if (passwordsFile) {
  const roles = await deployRoles(url.href, JSON.parse(readFileSync(passwordsFile, 'utf8')));
  if (roles === null) {
    console.error('the user of DATABASE_URL may not create roles');
    process.exit(EXIT_CONFIG);
  }
  console.log('roles are up to date');
}
process.exit(0);
