// Entry point of `npm run proof`: brings the services and the proofs up to date and runs the one that is named.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('.', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const build = spawnSync(process.execPath, [tsc, '-b', project], { encoding: 'utf8' });
if (build.status !== 0) {
  process.stderr.write(`the proofs do not compile:\n${build.stdout}${build.stderr}`);
  process.exit(build.status ?? 1);
}

const { main } = await import('./dist/index.js');
// At once: pools and keep-alive connections would hold the process for seconds after everything has stopped.
process.exit(await main(process.argv.slice(2)));
