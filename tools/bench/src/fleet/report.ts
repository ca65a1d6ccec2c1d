import { print } from '../measure.js';
import { fleetOfSize, nodesAtLimit, type Load, type MeasuredCosts } from './model.js';
import { PARTS, SHARED_PARTS } from './shared-parts.js';

const SIZES = [1, 10, 100, 1_000];
const DAY_SECONDS = 86_400;
const TB = 1e12;

/** What each shared part costs, as measured. */
export function printCosts(costs: MeasuredCosts): void {
  print('part               CPU ms/payment   CPU ms/sale   idle cores   idle cores per node');
  for (const part of PARTS) {
    print(
      [
        SHARED_PARTS[part].padEnd(18),
        (costs.perPayment[part] * 1_000).toFixed(3).padStart(14),
        (costs.perSale[part] * 1_000).toFixed(1).padStart(13),
        costs.idle[part].toFixed(3).padStart(12),
        costs.idlePerNode[part].toFixed(4).padStart(21),
      ].join(' '),
    );
  }
  print(`pieces of ${costs.pieceSat} sat: checkpoints, of signer and chain-watcher, go by satoshi`);
  print(`a node: ${(costs.nodePerByte * 1024 ** 3).toFixed(2)} CPU s per GiB sold\n`);
}

/** The fleet as it grows, and where each part ends. */
export function printModel(costs: MeasuredCosts, load: Load): void {
  print(
    `model: nodes that sell ${(load.nodeBytesPerSecond * 8) / 1e6} Mbit/s each, sales of ` +
      `${load.saleBytes / 1024 ** 3} GiB in pieces of ${load.pieceBytes / 1024} KiB for ${load.pieceSat.toFixed(1)} sat each, cores as of this machine\n`,
  );
  print(`nodes    TB/day   sales/day   core hours/TB: nodes   shared   cores busy: ${PARTS.join('  ')}`);
  for (const nodes of SIZES) {
    const size = fleetOfSize(nodes, costs, load);
    const perDay = size.bytesPerSecond * DAY_SECONDS;
    print(
      [
        String(nodes).padStart(5),
        Math.round(perDay / TB)
          .toLocaleString('en-US')
          .padStart(9),
        Math.round(perDay / load.saleBytes)
          .toLocaleString('en-US')
          .padStart(11),
        size.nodeHoursPerTb.toFixed(2).padStart(22),
        size.sharedHoursPerTb.toFixed(2).padStart(8),
        '            ',
        PARTS.map((part) => size.cores[part].toFixed(2).padStart(part.length)).join('  '),
      ].join(' '),
    );
  }
  print('\none core of a part is busy at');
  const limits = nodesAtLimit(costs, load);
  for (const part of PARTS) {
    const nodes = limits[part];
    const tbPerDay = (nodes * load.nodeBytesPerSecond * DAY_SECONDS) / TB;
    const salesPerSecond = costs.perSale[part] > 0 ? `${(1 / costs.perSale[part]).toFixed(0)}` : '–';
    print(
      `  ${SHARED_PARTS[part].padEnd(18)} ${rounded(nodes).padStart(8)} nodes, ${rounded(tbPerDay).padStart(9)} TB/day` +
        `   (sales alone: ${salesPerSecond} a second)`,
    );
  }
}

function rounded(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : 'none';
}
