import { rmSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleet } from '@seedfleet/fleet';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** State folder of a running regtest fleet of two nodes. */
    readonly fleetState: string;
  }
}

/** One fleet for all specs; or, for work on them, the one whose state folder INTEROP_STATE names. */
export default async function bringFleet(project: TestProject): Promise<(() => Promise<void>) | void> {
  const given = process.env['INTEROP_STATE'];
  if (given !== undefined) return project.provide('fleetState', given);
  const stateDir = mkdtempSync(join(tmpdir(), 'seedfleet-interop-'));
  const fleet = await startFleet({ stateDir, nodes: 2, env: {} });
  project.provide('fleetState', stateDir);
  return async () => {
    await fleet.stop();
    rmSync(stateDir, { recursive: true, force: true });
  };
}
