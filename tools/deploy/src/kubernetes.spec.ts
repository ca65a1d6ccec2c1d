import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { Job } from 'kubernetes-models/batch/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Namespace, PersistentVolumeClaim, Service } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { projectFile, readYamlDocuments, readYamlFile } from './files.js';

const MODELS = {
  Deployment,
  StatefulSet,
  Job,
  NetworkPolicy,
  PodDisruptionBudget,
  Namespace,
  PersistentVolumeClaim,
  Service,
};

const manifest = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ template: z.looseObject({ spec: z.looseObject({}) }).optional() }).optional(),
});
const workload = z.looseObject({
  spec: z.looseObject({
    replicas: z.number().optional(),
    template: z.looseObject({
      spec: z.looseObject({
        hostNetwork: z.boolean().optional(),
        terminationGracePeriodSeconds: z.number().optional(),
        securityContext: z.looseObject({ runAsNonRoot: z.boolean() }),
        containers: z.array(
          z.looseObject({
            env: z.array(z.looseObject({ name: z.string() })).optional(),
            securityContext: z.looseObject({
              readOnlyRootFilesystem: z.boolean(),
              allowPrivilegeEscalation: z.boolean(),
            }),
          }),
        ),
      }),
    }),
  }),
});

const files = readdirSync(projectFile('k8s/base')).filter((name) => name !== 'kustomization.yaml');
const manifests = files.flatMap((name) => readYamlFile(`k8s/base/${name}`).map((one) => manifest.parse(one)));
const workloads = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');

const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

describe('k8s/base', () => {
  it.each(manifests.map((one) => [`${one.kind} ${one.metadata.name}`, one] as const))(
    '%s fits its schema',
    (_, one) => {
      const Model = MODELS[one.kind as keyof typeof MODELS] as new (data: object) => { validate(): void };
      expect(Model).toBeDefined();
      expect(() => new Model(one).validate()).not.toThrow();
    },
  );

  it.each(workloads.map((one) => [one.metadata.name, workload.parse(one)] as const))(
    '%s runs as a plain user on a read-only root',
    (_, { spec }) => {
      expect(spec.template.spec.securityContext.runAsNonRoot).toBe(true);
      for (const container of spec.template.spec.containers) {
        expect(container.securityContext).toMatchObject({
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
        });
      }
    },
  );

  it('keeps nodes as a StatefulSet, each on its host’s network, with time to drain', () => {
    const node = workload.parse(manifests.find(({ kind }) => kind === 'StatefulSet'));
    expect(node.spec.template.spec).toMatchObject({ hostNetwork: true, terminationGracePeriodSeconds: 7_500 });
  });

  it('gives keys to the settler only', () => {
    const withKeys = workloads.filter((one) =>
      workload
        .parse(one)
        .spec.template.spec.containers.some(({ env }) => env?.some(({ name }) => name === 'SEED_FILE')),
    );
    expect(withKeys.map(({ metadata }) => metadata.name)).toEqual(['channel-settler']);
  });

  it.skipIf(!kubectl)('builds with kustomize (where kubectl is installed)', () => {
    const built = spawnSync('kubectl', ['kustomize', projectFile('k8s/base')], { encoding: 'utf8' });
    expect(built.stderr).toBe('');
    expect(readYamlDocuments(built.stdout)).toHaveLength(manifests.length + 1);
  });
});
