// npm test: everything that must hold, from a fresh clone. Installs and builds what is missing, then runs lint, unit
// tests, the specs that need real servers, and one whole sale. The last line counts tests: `N passed, N failed`.
//   node tools/test.mjs [--only lint,unit,servers,sale]
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from './build.mjs';
import { startAttached } from './test-servers/attached.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const bin = (name) => join(root, 'node_modules', ...name.split('/'));
const scratch = mkdtempSync(join(tmpdir(), 'seedfleet-test-'));
const totals = { passed: 0, failed: 0 };
/** What failed for good, and specs that failed once and passed when they were run alone: both told once more at the end. */
const broke = [];
const unstable = [];
/** Lines of a failure's message that are repeated at the end, where the last part of a long log still has them. */
const MESSAGE_LINES = 15;
/** A counterexample that a property test has found is a proof: no second try undoes it. */
const COUNTEREXAMPLE = /Property failed after \d+ tests/;
const started = Date.now();

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1].split(',') : null;
const wanted = (step) => only === null || only.includes(step);

function say(text) {
  console.log(`[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s] ${text}`);
}

/** Runs a program with its output shown; resolves with its exit code. */
function run(args, { command = process.execPath, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** A check that passes or fails as a whole counts as one test. */
async function check(name, args, options) {
  say(name);
  const code = await run(args, options);
  totals[code === 0 ? 'passed' : 'failed'] += 1;
  if (code === 0) return;
  say(`FAILED: ${name} (exit ${code})`);
  broke.push({ label: name, message: `exit ${code}` });
}

/** Runs Vitest with a configuration, on all its files or on some of them; resolves with what it counted. */
async function vitest(name, config, { environment = {}, folder = root, files = [] } = {}) {
  const report = join(scratch, `${name.replace(/\W+/g, '-')}.json`);
  rmSync(report, { force: true });
  const code = await run(
    [
      bin('vitest/vitest.mjs'),
      'run',
      ...files,
      '--config',
      config,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { cwd: folder, env: { ...process.env, ...environment } },
  );
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  return { code, ...outcome(code, counts) };
}

/** What a report of Vitest says. A run that fails without a failed test (an unhandled error) must not look like success. */
function outcome(code, counts) {
  const failures = (counts?.testResults ?? []).flatMap(({ name, assertionResults, status, message }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    return status === 'failed' && failed.length === 0
      ? [{ file: name, test: '(the file itself)', message: message ?? '' }]
      : failed.map((test) => ({ file: name, test: test.fullName, message: test.failureMessages.join('\n') }));
  });
  if (code !== 0 && failures.length === 0)
    failures.push({ file: '', test: '(the run itself)', message: `exit ${code}` });
  if ((counts?.numTotalTests ?? 0) === 0 && failures.length === 0) {
    failures.push({ file: '', test: '(ran no test)', message: '' });
  }
  return { passed: counts?.numPassedTests ?? 0, failures };
}

const keyOf = ({ file, test }) => `${file} ${test}`;
const labelled = (name) => (failure) => ({
  label: `${name}: ${relative(root, failure.file)} ${failure.test}`,
  message: failure.message,
});

/** Runs specs, once more those files that failed, and adds them to the totals. */
async function specs(name, config, options = {}) {
  say(name);
  const first = await vitest(name, config, options);
  totals.passed += first.passed;
  if (first.failures.length === 0) return;
  sayFailed(name, first.failures);
  const proven = first.failures.filter(({ file, message }) => file === '' || COUNTEREXAMPLE.test(message));
  const doubtful = first.failures.filter((failure) => !proven.includes(failure));
  totals.failed += proven.length;
  broke.push(...proven.map(labelled(name)));
  if (doubtful.length === 0) return;
  say(`${name}: once more, what failed`);
  const files = [...new Set(doubtful.map(({ file }) => file))];
  const second = await vitest(name, config, { ...options, files });
  sayFailed(name, second.failures);
  const known = new Set(proven.map(keyOf));
  const still = second.failures.filter((failure) => !known.has(keyOf(failure)));
  const stillKeys = new Set(still.map(keyOf));
  const recovered = doubtful.filter((failure) => !stillKeys.has(keyOf(failure)));
  totals.passed += recovered.length;
  totals.failed += still.length;
  broke.push(...still.map(labelled(name)));
  unstable.push(...recovered.map(labelled(name)));
}

function sayFailed(name, failures) {
  for (const failure of failures) say(`FAILED: ${labelled(name)(failure).label}`);
}

/**
 * Programs of Debian that some specs need: a real Chromium for the dashboard's, other people's BitTorrent clients as
 * neighbours of a node. What is missing is installed; where that is not possible its specs say that they were skipped.
 */
const PROGRAMS = [
  { debian: 'chromium', at: ['/usr/bin/chromium', '/usr/bin/chromium-browser'] },
  { debian: 'aria2', at: ['/usr/bin/aria2c'] },
  { debian: 'transmission-daemon', at: ['/usr/bin/transmission-daemon'] },
  { debian: 'qbittorrent-nox', at: ['/usr/bin/qbittorrent-nox'] },
  { debian: 'python3-libtorrent', at: ['/usr/share/doc/python3-libtorrent'] },
];

async function ensurePrograms() {
  const missing = PROGRAMS.filter(({ at }) => !at.some((path) => existsSync(path))).map(({ debian }) => debian);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    say(`no ${missing.join(', ')}, and no right to install it: the specs that need it will be skipped`);
    return;
  }
  say(`installing Debian's ${missing.join(', ')}`);
  const apt = (args) =>
    run(args, {
      command: 'apt-get',
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  await apt(['update', '-qq']);
  // One by one: one that can't be had must not keep the others away.
  for (const debian of missing) {
    const code = await apt(['install', '-y', '-qq', '--no-install-recommends', debian]);
    if (code !== 0) say(`${debian} could not be installed: the specs that need it will be skipped`);
  }
}

/** Projects that have specs needing real servers. */
function projectsWithServerSpecs() {
  return ['libs', 'apps', 'tools'].flatMap((kind) =>
    readdirSync(join(root, kind))
      .map((name) => join(root, kind, name, 'vitest.int.config.ts'))
      .filter((config) => existsSync(config)),
  );
}

async function main() {
  say('installing and building what is missing');
  await prepare();
  mkdirSync(scratch, { recursive: true });

  if (wanted('lint')) {
    await check('lint', [bin('eslint/bin/eslint.js'), '.', '--max-warnings=0']);
    await check('format', [bin('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.']);
  }
  if (wanted('unit')) await specs('unit tests', 'vitest.config.ts');
  if (wanted('servers')) {
    await ensurePrograms();
    // One set of servers for all specs that need them; they must not outlive a run that was killed.
    const servers = await startAttached(join(scratch, 'servers'));
    try {
      for (const config of projectsWithServerSpecs()) {
        const folder = dirname(config);
        const { environment } = servers;
        await specs(`server tests: ${relative(root, folder)}`, config, { environment, folder });
      }
    } finally {
      await servers.stop();
    }
  }
  if (wanted('sale')) {
    const state = join(scratch, 'sale');
    await check('one whole sale', ['tools/start/bin.mjs', '--once', '--yes', '--state', state]);
  }
}

let broken;
try {
  await main();
} catch (failure) {
  broken = failure;
  totals.failed += 1;
  console.error(failure);
}
try {
  rmSync(scratch, { recursive: true, force: true });
} catch {
  // Another user's server may have left files there; they are in the system's temporary folder.
}
function tellAgain(verdict, { label, message }) {
  console.log(`${verdict}: ${label}`);
  for (const line of message.split('\n').slice(0, MESSAGE_LINES)) console.log(`    ${line}`);
}
for (const failure of unstable) tellAgain('UNSTABLE, passed at the second try', failure);
for (const failure of broke) tellAgain('FAILED', failure);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 && broken === undefined ? 0 : 1);
