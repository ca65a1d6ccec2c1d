import tseslint from 'typescript-eslint';
import { boundaryRule } from './tools/lint/boundary-rule.mjs';

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '.nx/**',
      '.cache/**',
      '.seedfleet/**',
      'libs/persistence/src/generated/**',
    ],
  },
  ...tseslint.configs.recommended,
  {
    plugins: { seedfleet: { rules: { boundaries: boundaryRule } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'seedfleet/boundaries': 'error',
      'no-console': ['error', { allow: ['error'] }],
      eqeqeq: 'error',
      'no-restricted-properties': [
        'error',
        { property: 'parseFloat', object: 'Number', message: 'Satoshi are bigint; no float touches money.' },
      ],
      'no-restricted-globals': [
        'error',
        { name: 'parseFloat', message: 'Satoshi are bigint; no float touches money.' },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
    },
  },
  {
    // Pure libraries have no clock and no randomness of their own.
    files: ['libs/{wire,payment-channel,exchange,channel-lifecycle,policy,books,wallet}/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='Date'][property.name='now']",
          message: 'A pure library is told the time.',
        },
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'A pure library is told the time.',
        },
        {
          selector: "MemberExpression[object.name='Math'][property.name='random']",
          message: 'A pure library is given its randomness.',
        },
        { selector: "MemberExpression[object.name='performance']", message: 'A pure library is told the time.' },
        {
          selector: 'CallExpression[callee.name=/^set(Timeout|Interval|Immediate)$/]',
          message: 'A pure library does not wait.',
        },
      ],
    },
  },
  {
    // Dependency injection reads parameter types at run time, so Nest files import classes as values.
    files: ['apps/{swarm-node,channel-service,chain-watcher,market-api}/src/**/*.ts', 'libs/service-kit/src/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off' },
  },
  {
    // Programs that talk to a terminal.
    files: ['tools/**/*.{ts,mjs}', 'apps/leecher/**/*.ts', '**/scripts/**', '**/bin/**', '**/*.spec.ts'],
    rules: { 'no-console': 'off' },
  },
);
