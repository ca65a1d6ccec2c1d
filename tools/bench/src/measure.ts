/** Timing and printing shared by the benchmarks. */

/** Operations per second of `run`, which performs `operations` of them: the best of several rounds after a warm-up. */
export const rate = (operations: number, run: () => void, rounds = 5): number => {
  run();
  let best = 0;
  for (let round = 0; round < rounds; round += 1) {
    const start = process.hrtime.bigint();
    run();
    best = Math.max(best, perSecond(operations, process.hrtime.bigint() - start));
  }
  return best;
};

/**
 * How much slower `run` is than `base`, both doing the same number of operations: the median over short rounds in turn,
 * so that other load on the machine hits them alike. 1 is as fast.
 */
export const speedRatio = (base: () => void, run: () => void, rounds = 30): number => {
  base();
  run();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = process.hrtime.bigint();
    base();
    const middle = process.hrtime.bigint();
    run();
    ratios.push(Number(middle - start) / Number(process.hrtime.bigint() - middle));
  }
  return median(ratios);
};

export const perSecond = (operations: number, elapsedNs: bigint): number => (operations * 1e9) / Number(elapsedNs);

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

export const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

export const perSecondText = (value: number): string => `${Math.round(value).toLocaleString('en-US')}/s`;

/** Prints a figure beside its aim; true when it is reached. */
export const aim = (what: string, value: string, reached: boolean, wanted: string): boolean => {
  print(`${what.padEnd(44)} ${value.padStart(16)}   aim ${wanted}: ${reached ? 'reached' : 'MISSED'}`);
  return reached;
};

/** Keeps a result from being optimised away. */
let sink: unknown;
export const keep = (value: unknown): void => {
  sink = value;
  if (sink === keep) print('');
};
