import { bringPackage, broughtBinaries, cacheFolder } from '../packages/debian-package.js';
import { FleetError } from '../errors.js';
import type { Binaries, ProviderContext, ServerProvider } from './provider.js';

/** A server that answers, and how it was come by. */
export interface Provided<C> {
  readonly connection: C;
  /** `started` ones are stopped with the fleet; the others are left alone. */
  readonly origin: 'environment' | 'running' | 'started';
  /** Product, version and where it comes from. */
  readonly detail: string;
}

/** What only the person can answer or wants to be told. */
export interface Conversation {
  /** Says what would be done and asks whether it may; without a terminal the answer is yes. */
  allow(question: string): Promise<boolean>;
  say(line: string): void;
}

/**
 * Finds or brings one server, in this order: named by the environment, already run by this tool for the same state
 * folder, a program on the machine, a program brought earlier, a package brought now.
 */
export async function provide<C>(
  provider: ServerProvider<C>,
  context: ProviderContext,
  alreadyRunning: C | undefined,
  conversation: Conversation,
): Promise<Provided<C>> {
  const named = provider.fromEnvironment(context);
  if (named !== undefined) {
    const probe = await provider.probe(named, context);
    if (probe.ok)
      return { connection: named, origin: 'environment', detail: `${probe.detail}, from ${provider.variable}` };
    throw new FleetError(
      probe.code === 'unreachable' ? 'server-unreachable' : 'server-unsuitable',
      `the ${provider.title} server named by ${provider.variable} can't be used`,
      probe.why,
      `start or correct it, or unset ${provider.variable} to let one be found or brought`,
    );
  }
  if (alreadyRunning !== undefined) {
    const probe = await provider.probe(alreadyRunning, context);
    if (probe.ok) return { connection: alreadyRunning, origin: 'running', detail: `${probe.detail}, already running` };
  }
  const refusal = provider.refusal(context);
  if (refusal !== undefined) {
    throw new FleetError('server-missing', `no ${provider.title} server`, refusal.why, refusal.todo);
  }
  const binaries = (await provider.findBinaries(context)) ?? (await bring(provider, context, conversation));
  return { connection: await provider.start(binaries, context), origin: 'started', detail: binaries.detail };
}

async function bring<C>(
  provider: ServerProvider<C>,
  context: ProviderContext,
  conversation: Conversation,
): Promise<Binaries> {
  const wanted = provider.packageFor(context);
  const hint = `install it yourself, or name a running one in ${provider.variable}`;
  if (wanted === undefined) {
    throw new FleetError('server-missing', `no ${provider.title} server`, 'none was found on this machine', hint);
  }
  const cache = cacheFolder(context.env);
  const label = `Debian's ${wanted.name} (${wanted.suite})`;
  const earlier = broughtBinaries(wanted, cache);
  if (earlier !== undefined) return { folder: earlier, detail: `${label}, brought earlier` };
  const plan = `${provider.title}: no suitable one on this machine; bringing ${label} into ${cache}`;
  if (!(await conversation.allow(plan))) {
    throw new FleetError('server-missing', `no ${provider.title} server`, 'bringing one was declined', hint);
  }
  return { folder: await bringPackage(wanted, cache, context.supervisor), detail: label };
}
