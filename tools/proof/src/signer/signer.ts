import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SHORT_SIGNER_KILL_CASES, SIGNER_KILL_CASES } from '../kill/cases.js';
import { proveKills } from '../kill/kill.js';
import type { Scorecard } from '../scorecard.js';
import type { World } from '../world/world.js';

/** Plugs pulled on a fleet whose settler has no seed; then the signer's log held against what was sent. */
export async function proveSigner(world: World, short: boolean, scores: Scorecard): Promise<void> {
  await proveKills(world, short ? SHORT_SIGNER_KILL_CASES : SIGNER_KILL_CASES, scores);
  await scores.run(
    'every settlement, child and sweep is in the log, once; every line follows from the one before',
    async () => {
      const written = txidsIn(world.fleet.state.file('services', 'channel-signer', 'signing.log'));
      const rows = await world.database.query<{ txid: string }>(
        `SELECT "settlementTxid" AS "txid" FROM channel.channel WHERE "settlementTxid" IS NOT NULL
       UNION SELECT "txid" FROM channel.treasury_transaction`,
      );
      const faults = rows.flatMap(({ txid }) =>
        written.includes(txid) ? [] : [`${txid} was sent and not written down`],
      );
      if (rows.length === 0) faults.push('nothing was settled');
      if (new Set(written).size !== written.length) faults.push('something was written twice');
      return faults;
    },
  );
}

/** What was signed, by the log; read without the program that wrote it. */
function txidsIn(file: string): string[] {
  let head = '0'.repeat(64);
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line, place) => {
    const json = line.slice(65);
    const { previous, seq, txid } = JSON.parse(json) as { previous: string; seq: number; txid?: string };
    const hash = createHash('sha256').update(json).digest('hex');
    if (previous !== head || seq !== place + 1 || hash !== line.slice(0, 64))
      throw new Error(`line ${place + 1} is broken`);
    head = hash;
    return txid ?? [];
  });
}
