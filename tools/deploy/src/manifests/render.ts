import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bringTool } from '@seedfleet/fleet';
import { z } from 'zod';
import { writeCredentials } from '../credentials/credential-files.js';
import { projectFile, readYamlDocuments } from '../files.js';

const KUBECTL = { suite: 'trixie', name: 'kubernetes-client', binaryFolder: 'usr/bin', binaries: ['kubectl'] } as const;

export const OVERLAYS = ['dev', 'prod', 'tower'] as const;
export type Overlay = (typeof OVERLAYS)[number];

/** What every object of Kubernetes has. */
const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
});
export type Manifest = z.output<typeof manifestSchema>;

/** As it is named in what is said about it. */
export function nameOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
}

/** kubectl, whose `kustomize` is the real one: the installed program, or Debian's. */
export async function kubectl(): Promise<string> {
  const installed = spawnSync('kubectl', ['version', '--client']).status === 0;
  return installed ? 'kubectl' : join(await bringTool(KUBECTL), 'kubectl');
}

/**
 * An overlay as it would be applied, from a copy of the manifests into which credentials were made as an operator makes them.
 * Throws what kustomize says against it.
 * @param components those that stand in the overlay as a comment and are used here, by their folder's name
 */
export function render(program: string, overlay: Overlay, components: readonly string[] = []): Manifest[] {
  const copy = mkdtempSync(join(tmpdir(), 'seedfleet-k8s-'));
  try {
    for (const part of ['k8s', 'deploy/grafana']) cpSync(projectFile(part), join(copy, part), { recursive: true });
    const folder = join(copy, 'k8s/overlays', overlay);
    writeCredentials({
      folder: join(folder, 'secrets'),
      fleetId: 'seedfleet',
      nats: 'nats:4222',
      postgres: 'postgres:5432/seedfleet',
      redis: 'redis:6379',
      bitcoin: 'bitcoin:18443',
      nodes: ['swarm-node-0', 'swarm-node-1'],
    });
    for (const component of components) use(component, join(folder, 'kustomization.yaml'));
    const { status, stdout, stderr } = spawnSync(program, ['kustomize', folder], { encoding: 'utf8' });
    if (status !== 0 || stderr !== '') throw new Error(stderr || `kustomize ended with ${String(status)}`);
    return z.array(manifestSchema).parse(readYamlDocuments(stdout));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function use(component: string, file: string): void {
  const text = readFileSync(file, 'utf8');
  const used = text.replace(new RegExp(`^# (components: \\[../../components/${component}\\b.*)$`, 'm'), '$1');
  if (used === text) throw new Error(`${file} says nothing of ${component}`);
  writeFileSync(file, used);
}
