import type { Scorecard } from './scorecard.js';
import type { FleetOptions } from '@seedfleet/fleet';
import type { ProcessVariables, World } from './world/world.js';

/** One proof: what it shows, and how it is run on a fleet of its own. */
export interface Proof {
  readonly what: string;
  /** @param short only one case of each kind */
  run(world: World, short: boolean, scores: Scorecard): Promise<void>;
}

/** A proof by calculation alone: no fleet is brought up. */
export type Simulation = (short: boolean, scores: Scorecard) => Promise<void>;

interface Entry {
  readonly what: string;
  /** What its fleet is made of; default one of each. */
  readonly fleet?: Pick<FleetOptions, 'nodes' | 'copies' | 'remoteSigner'>;
  readonly load?: () => Promise<Proof['run']>;
  /** Further variables of the fleet's processes, by name. */
  readonly environment?: () => Promise<ProcessVariables>;
  readonly simulate?: () => Promise<Simulation>;
}

/** By name on the command line. Loaded when run: a proof needs compiled services. */
export const PROOFS: Readonly<Record<string, Entry>> = {
  kill: {
    what: 'every process killed between every two steps that store or send, during live sales',
    load: async () => {
      const [{ proveKills }, { KILL_CASES, SHORT_KILL_CASES }] = await Promise.all([
        import('./kill/kill.js'),
        import('./kill/cases.js'),
      ]);
      return (world, short, scores) => proveKills(world, short ? SHORT_KILL_CASES : KILL_CASES, scores);
    },
  },
  chain: {
    what: 'every way in which a funding output can be spent, on a real node',
    load: async () => (await import('./paths/paths.js')).proveSpendingPaths,
  },
  reorg: {
    what: 'reorganisations of 1 to 6 blocks under channels in every state',
    load: async () => {
      const { proveReorganisations } = await import('./reorg/reorg.js');
      return (world, short, scores) => proveReorganisations(world, short ? [2, 6] : [1, 2, 3, 4, 5, 6], scores);
    },
  },
  restore: {
    what: 'a stale copy of the database under channels that have moved on',
    load: async () => (await import('./restore/restore.js')).proveRestore,
  },
  leecher: {
    what: 'the leecher killed at every step, cheated by sellers, streaming, and back from its words',
    load: async () => (await import('./leecher/leecher.js')).proveLeecher,
  },
  fleet: {
    what: 'a whole fleet that grows, loses a node, drains one and is rolled under load; two of each service',
    fleet: { nodes: 3, copies: { 'chain-watcher': 2, 'market-api': 2, 'channel-intake': 2, 'channel-settler': 2 } },
    load: async () => (await import('./fleet/fleet.js')).proveFleet,
  },
  tower: {
    what: 'who is dead, slow, cut off or restored at each stage of a channel: one settlement, and none lost',
    load: async () => (await import('./tower/tower.js')).proveTower,
    environment: async () => (await import('./tower/tower.js')).TOWER_ENVIRONMENT,
  },
  signer: {
    what: 'the seed in a process of its own: killed, away, its log changed, and asked by a thief for what it must not sign',
    fleet: { remoteSigner: true },
    load: async () => (await import('./signer/signer.js')).proveSigner,
    environment: async () => (await import('./signer/signer.js')).SIGNER_ENVIRONMENT,
  },
  placement: {
    what: 'a million torrents on a thousand nodes that come and go',
    simulate: async () => (await import('./placement/placement.js')).provePlacement,
  },
};

/** A proof that needs no fleet: files that fit together, judged by the programs that will read them. */
export type Check = (short: boolean, scores: Scorecard) => Promise<void>;

export const CHECKS: Readonly<Record<string, { readonly what: string; readonly load: () => Promise<Check> }>> = {
  alerts: {
    what: 'alert rules that fire and clear, each with a runbook; every metric they and the dashboards name exists',
    load: async () => (await import('./files/alerts.js')).proveAlerts,
  },
  manifests: {
    what: 'every overlay by the real kustomize, against schemas with unknown fields refused; compose file and Dockerfile',
    load: async () => (await import('./files/manifests.js')).proveManifests,
  },
};
