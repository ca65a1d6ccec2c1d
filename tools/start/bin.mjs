// `npm start`: from a fresh clone to a fleet that has sold a torrent. Everything up to the import at the end runs on
// plain Node, before anything is installed or built.
import { PrepareError, ensureBuilt, ensureInstalled } from '../build.mjs';
import { openGuard } from './guard.mjs';
import { Steps } from './steps.mjs';

const OLDEST_NODE = [20, 19];
const EXIT_INTERRUPTED = 130;

const steps = new Steps();
const guard = openGuard();
const interrupt = () => {
  guard.endAll();
  process.stdout.write('interrupted\n');
  process.exit(EXIT_INTERRUPTED);
};
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
for (const signal of SIGNALS) process.on(signal, interrupt);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (process.platform !== 'linux') {
    throw new PrepareError('this system is not supported', `${process.platform} is not Linux`, 'use Linux');
  }
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new PrepareError(
    'Node is too old',
    `this is ${process.version}`,
    `install Node ${OLDEST_NODE.join('.')} or newer`,
  );
}

try {
  checkNode();
  await steps.run(
    'packages',
    () => ensureInstalled(guard),
    (installed) => (installed ? 'installed' : 'up to date'),
  );
  await steps.run(
    'build',
    () => ensureBuilt(guard),
    (built) => (built ? 'built' : 'up to date'),
  );
} catch (thrown) {
  if (!(thrown instanceof PrepareError)) throw thrown;
  steps.failure(thrown);
  process.exit(1);
}
guard.dismiss();
for (const signal of SIGNALS) process.removeListener(signal, interrupt);

const { runStart } = await import('../fleet/dist/start/start-command.js');
// At once: pools and keep-alive connections would hold the process for seconds after everything has stopped.
process.exit(await runStart(process.argv.slice(2), steps));
