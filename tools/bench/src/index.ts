import { BENCHMARKS } from './benchmarks.js';

const usage = (): string => {
  const lines = Object.entries(BENCHMARKS).map(([name, { what }]) => `  ${name.padEnd(12)}${what}`);
  return ['usage: npm run bench -- NAME', '', ...lines, ''].join('\n');
};

/** Runs the named benchmark: 0 when its aims were reached, 1 when one was missed, 2 for an unknown name. */
export const main = async (args: readonly string[]): Promise<number> => {
  const [name = '', ...rest] = args;
  const benchmark = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (benchmark === undefined) {
    process.stdout.write(usage());
    return 2;
  }
  const run = await benchmark.load();
  return (await run(rest)) ? 0 : 1;
};
