import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('./', import.meta.url));

/** Vitest configuration shared by every project: libraries resolve to their sources, decorators carry metadata. */
export const base = (test: Record<string, unknown> = {}) =>
  defineConfig({
    // Explicit, because spec files may lie outside a tsconfig's "include".
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    // An alias, not resolve.conditions: Vitest hands conditions to node, and CommonJS require() would then load sources.
    resolve: {
      alias: [
        { find: /^@seedfleet\/(fleet|conformance|bench|interop)$/, replacement: `${root}tools/$1/src/index.ts` },
        { find: /^@seedfleet\/([^/]+)$/, replacement: `${root}libs/$1/src/index.ts` },
      ],
    },
    // Specs named *.int.spec.ts need real servers; each project that has some runs them by its vitest.int.config.ts.
    test: {
      environment: 'node',
      include: ['src/**/*.spec.ts'],
      exclude: Array.isArray(test['include']) ? [] : ['**/*.int.spec.ts'],
      passWithNoTests: true,
      // Against what never ends; how fast something is, is for benchmarks. A machine may be slow and busy.
      testTimeout: 30_000,
      ...test,
    },
  });

/**
 * Integration specs of the project whose vitest.int.config.ts calls this: one file at a time, in its folder wherever
 * they are started from.
 * @param config address of the configuration file, `import.meta.url`
 */
export const integration = (config: string, test: Record<string, unknown> = {}) => ({
  ...base({
    include: ['src/**/*.int.spec.ts'],
    passWithNoTests: false,
    fileParallelism: false,
    hookTimeout: 120_000,
    ...test,
  }),
  root: fileURLToPath(new URL('./', config)),
});

/** Integration specs on one set of real servers: Postgres, NATS, Redis, a Bitcoin node. */
export const onServers = (config: string, test: Record<string, unknown> = {}) =>
  integration(config, { globalSetup: [`${root}tools/test-servers/global-setup.mjs`], ...test });
