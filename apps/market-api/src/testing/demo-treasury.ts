import { treasuryGet, treasurySweep } from '@seedfleet/bus';
import type { RunningMarketApi } from './market-api.js';

const DESTINATION = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const SWEPT = 'ab'.repeat(32);

/** Answers for the settler, which the demo fleet does not have: a treasury with something to sweep. Returns what was asked. */
export async function answerForTreasury(api: RunningMarketApi): Promise<unknown[]> {
  const bus = await api.busOf('channel-service');
  const asked: unknown[] = [];
  const answer = (subject: string, reply: (data: { dryRun?: boolean }) => object): void => {
    bus.connection.subscribe(bus.subject(subject), {
      callback: (_error, message) => {
        const text = Buffer.from(message.data).toString('utf8');
        const { id, data } = JSON.parse(text) as { id: string; data: { dryRun?: boolean } };
        asked.push(data);
        const response = { ok: true, value: reply(data) };
        message.respond(JSON.stringify({ response, isDisposed: true, id }));
      },
    });
  };
  const madeAt = Math.floor(Date.now() / 1_000) - 86_400;
  const made = { state: 'buried', reason: 'above-cap', confirmations: 9, madeAt };
  answer(treasuryGet.subject, () => ({
    destination: DESTINATION,
    destinationSince: madeAt,
    nextAddress: DESTINATION,
    hotSat: '2481337',
    spareSat: '1906112',
    spareCoins: 291,
    keptCoins: 24,
    sweptSat: '8120044',
    feesSat: '21877',
    next: { kind: 'none', why: 'below-cap' },
    transactions: [
      { ...made, txid: 'cd'.repeat(32), kind: 'sweep', inputSat: '8131004', feeSat: '10960' },
      { ...made, txid: 'ef'.repeat(32), kind: 'child', reason: 'settlement-stuck', inputSat: '6459', feeSat: '1200' },
    ],
  }));
  answer(treasurySweep.subject, ({ dryRun }) => ({
    kind: 'sweep',
    why: 'operator',
    destination: DESTINATION,
    inputs: 291,
    inputSat: '1906112',
    feeSat: '4310',
    txid: dryRun === true ? null : SWEPT,
  }));
  await bus.connection.flush();
  return asked;
}
