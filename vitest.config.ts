import { defineConfig } from 'vitest/config';

/** All unit tests in one run; each project can also run its own with `npx vitest run` in its folder. */
export default defineConfig({
  test: { projects: ['libs/*/vitest.config.ts', 'apps/*/vitest.config.ts', 'tools/*/vitest.config.{ts,mjs}'] },
});
