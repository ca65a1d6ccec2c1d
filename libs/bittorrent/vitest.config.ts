import { base } from '../../vitest.base.js';

// Discovery and peers wait for conditions, on machines that may be busy.
export default base({ testTimeout: 30_000 });
