import { fileURLToPath } from 'node:url';
import { FleetError, reasonOf } from '../errors.js';
import { beginFleet, type FleetStart, type RunningFleet } from '../fleet.js';
import { isRegtest } from '../providers/provider.js';
import { runSale } from '../sale/sale.js';
import type { SaleReport } from '../sale/report.js';
import type { ProcessEvent } from '../supervise/supervised-process.js';
import { terminalConversation } from './consent.js';
import { onLauncherGone } from './launcher.js';
import { parseStartOptions, USAGE, type StartOptions } from './options.js';

/** How steps are shown; the printer itself runs before anything is built. */
export interface StepPrinter {
  readonly seconds: number;
  run<T>(title: string, work: () => Promise<T>, describe?: (result: T) => string): Promise<T>;
  note(text: string): void;
  failure(failure: { readonly what: string; readonly why: string; readonly todo: string }): void;
}

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
/** Whoever killed npm expects everything gone within 5 s. */
const HASTY_GRACE_MS = 1000;

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** For those who have a say in limits per address and subnet. */
const localLimits = (service: string): Record<string, string> =>
  /^(?:node|channel)-/.test(service) ? { LIMIT_LOCAL_ADDRESSES: 'true' } : {};

/** `npm start`, once everything is installed and built. Returns the exit code. */
export async function runStart(args: readonly string[], steps: StepPrinter): Promise<number> {
  const parsed = parseStartOptions(args, ROOT, process.env['INIT_CWD'] ?? process.cwd());
  if (!parsed.ok) {
    if (parsed.code === 'usage') process.stderr.write(`${parsed.problem}\n\n`);
    process[parsed.code === 'usage' ? 'stderr' : 'stdout'].write(`${USAGE}\n`);
    return parsed.code === 'usage' ? EXIT_USAGE : 0;
  }
  const interruption = watchForInterruption();
  let fleet: FleetStart | undefined;
  try {
    fleet = beginFleet({
      stateDir: parsed.options.stateDir,
      network: parsed.options.network,
      nodes: parsed.options.nodes,
      contentRoots: parsed.options.contentRoots,
      remoteSigner: parsed.options.remoteSigner,
      mine: parsed.options.mine,
      tower: parsed.options.tower,
      ...(parsed.options.localLimits ? { serviceEnv: localLimits } : {}),
      step: (title, work, describe) => steps.run(title, work, describe),
      conversation: terminalConversation(parsed.options.yes, (line) => steps.note(line), interruption.signal),
      onEvent: (event) => steps.note(describeEvent(event)),
    });
    interruption.follow(fleet, steps);
    const running = await fleet.started;
    const exitCode = await operate(running, parsed.options, steps, interruption);
    await fleet.stop();
    return exitCode;
  } catch (thrown) {
    await fleet?.stop();
    if (interruption.signal.aborted) {
      steps.note('stopped');
      return EXIT_INTERRUPTED;
    }
    const failure = asFailure(thrown, parsed.options.stateDir);
    steps.failure(failure);
    if (parsed.options.once) printJson({ ok: false, code: failure.code, what: failure.what, why: failure.why });
    return EXIT_FAILED;
  } finally {
    interruption.end();
  }
}

/** The fleet is up: the sale, then either the end or a wait for Ctrl-C. */
async function operate(
  fleet: RunningFleet,
  options: StartOptions,
  steps: StepPrinter,
  interruption: Interruption,
): Promise<number> {
  steps.note(`the fleet is up: ${fleet.run.marketApi.url}, details in ${fleet.state.file('run.json')}`);
  let report: SaleReport | undefined;
  if (options.sale && !isRegtest(options.network)) {
    steps.note(`no sale is shown on ${options.network}: the buyer would spend real coins`);
  } else if (options.sale) {
    try {
      report = await runSale(fleet, steps, interruption.signal);
    } catch (thrown) {
      if (options.once || interruption.signal.aborted || !(thrown instanceof FleetError)) throw thrown;
      steps.failure(thrown);
    }
  }
  if (options.once) {
    await steps.run('stopping', () => fleet.stop());
    printJson({ ok: true, ...report, seconds: Number(steps.seconds.toFixed(1)) });
    return 0;
  }
  steps.note('running until Ctrl-C');
  await interruption.happened;
  await fleet.stop();
  return 0;
}

/** The end that a person or the system asked for. */
interface Interruption {
  readonly signal: AbortSignal;
  readonly happened: Promise<void>;
  /** Stops this fleet when the time comes; a second Ctrl-C ends it at once. */
  follow(fleet: FleetStart, steps: StepPrinter): void;
  end(): void;
}

function watchForInterruption(): Interruption {
  const controller = new AbortController();
  const happened = new Promise<void>((resolve) => controller.signal.addEventListener('abort', () => resolve()));
  let followed: { fleet: FleetStart; steps: StepPrinter } | undefined;
  const stop = (reason: string, graceMs?: number) => {
    if (controller.signal.aborted) {
      followed?.fleet.kill();
      return;
    }
    controller.abort(new FleetError('interrupted', 'interrupted', reason, 'start it again'));
    followed?.steps.note(`${reason}: stopping (once more ends everything at once)`);
    void followed?.fleet.stop(graceMs);
  };
  const handlers = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => {
    const handler = () => stop(name);
    process.on(name, handler);
    return { name, handler };
  });
  const unwatch = onLauncherGone(() => stop('npm is gone', HASTY_GRACE_MS));
  // A closed terminal or pipe must not keep the fleet from stopping in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return {
    signal: controller.signal,
    happened,
    follow(fleet, steps) {
      followed = { fleet, steps };
    },
    end() {
      unwatch();
      for (const { name, handler } of handlers) process.removeListener(name, handler);
    },
  };
}

/** The system's refusals (a full disk, a missing right) are expected; anything else is a fault of this program. */
function asFailure(thrown: unknown, stateDir: string): FleetError {
  if (thrown instanceof FleetError) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  if (typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) throw thrown;
  return new FleetError(
    'state-dir-unusable',
    'the system refused something that the fleet needs',
    reasonOf(thrown),
    code === 'ENOSPC' ? 'free some disk space and start again' : `check ${stateDir} and start again`,
  );
}

function describeEvent(event: ProcessEvent): string {
  if (event.type === 'restarted') return `${event.name} runs again (pid ${event.pid})`;
  return `${event.name} crashed (${event.exit}); starting it again in ${event.restartInMs / 1000} s`;
}

function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
