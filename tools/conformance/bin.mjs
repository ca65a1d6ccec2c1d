// Entry point of `npm run conformance`: brings the compiled tool up to date, which takes a moment after `npm ci` and
// nothing afterwards, and runs it.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('.', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const build = spawnSync(process.execPath, [tsc, '-b', project], { encoding: 'utf8' });
if (build.status !== 0) {
  process.stderr.write(`the libraries do not compile:\n${build.stdout}${build.stderr}`);
  process.exit(build.status ?? 1);
}

const { main } = await import('./dist/index.js');
// npm runs scripts in the project's folder; relative paths are meant from where the caller stood.
const from = process.env.INIT_CWD ?? process.cwd();
process.exitCode = await main(process.argv.slice(2).map((path) => resolve(from, path)));
