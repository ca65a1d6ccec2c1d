import { base } from '../../vitest.base.js';

export default base({ exclude: ['src/**/*.int.spec.ts', '**/node_modules/**'] });
